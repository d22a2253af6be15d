"""Checks the package for Apple's systems without them: folders, property lists, and what is in the Mach-O files.

    check_apple.py Handpick.xcframework.zip HEADERS FOLDER

Its simulators have a few objects of the library, which show nothing (HANDPICK_APPLE_SIMULATOR=part). Unpacks into FOLDER, and
there writes each processor's archive of macOS as PROCESSOR.a, for a test to link. Says what is wrong and exits with 1.
"""

import os
import plistlib
import re
import stat
import struct
import sys
import zipfile

MODULE = "HandpickC"
PROCESSORS = {0x0100000C: "arm64", 0x01000007: "x86_64"}
# LC_BUILD_VERSION's platform, and the oldest version by processor.
SLICES = {
    "ios-arm64": (2, {"arm64": (13, 0)}, "iPhoneOS", "13.0"),
    "ios-arm64_x86_64-simulator": (7, {"arm64": (14, 0), "x86_64": (13, 0)}, "iPhoneSimulator", "13.0"),
    "macos-arm64_x86_64": (1, {"arm64": (11, 0), "x86_64": (10, 15)}, "MacOSX", "10.15"),
}
# What an app has to give a reason for: developer.apple.com, "Describing use of required reason API". Functions alone: the rest is
# of Objective-C.
NEED_A_REASON = {
    "stat", "fstat", "lstat", "fstatat", "getattrlist", "fgetattrlist", "getattrlistat", "getattrlistbulk",
    "statfs", "fstatfs", "statvfs", "fstatvfs",
    "mach_absolute_time", "mach_continuous_time",
}  # fmt: skip
# A library has no business with these either: it does not read the clock, the environment or the user's settings.
NOT_OURS = {"getenv", "gettimeofday", "clock_gettime", "time", "socket", "connect", "dlopen", "system", "fork", "_NSGetEnviron"}

failures = []


def check(holds, what):
    if not holds:
        failures.append(what)


def unpack(path, folder):
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            target = os.path.join(folder, entry.filename)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            data = archive.read(entry)
            if stat.S_ISLNK(entry.external_attr >> 16):
                os.symlink(data.decode(), target)
            else:
                with open(target, "wb") as file:
                    file.write(data)


def universal_parts(data):
    """{processor: bytes} of a universal file, or of one for one processor."""
    if data[:8] == b"!<arch>\n":
        members = archive_members(data)
        return {PROCESSORS[struct.unpack_from("<I", members[0][1], 4)[0]]: data}
    magic, count = struct.unpack_from(">II", data)
    assert magic == 0xCAFEBABE, hex(magic)
    parts = {}
    for i in range(count):
        cpu, _, offset, size, _ = struct.unpack_from(">IIIII", data, 8 + 20 * i)
        parts[PROCESSORS[cpu]] = data[offset : offset + size]
    return parts


def archive_members(data):
    members = []
    at = 8
    while at + 60 <= len(data):
        header = data[at : at + 60]
        name, date, size = header[:16].decode().strip(), header[16:28].decode().strip(), int(header[48:58])
        body = data[at + 60 : at + 60 + size]
        if name.startswith("#1/"):
            length = int(name[3:])
            name, body = body[:length].rstrip(b"\0").decode(), body[length:]
        check(int(date or 0) == 0, f"{name} in an archive has the time stamp {date}")
        if not name.startswith("__.SYMDEF"):
            members.append((name, body))
        at += 60 + size + size % 2
    return members


def read_object(data):
    magic, _, _, kind, commands, _, flags = struct.unpack_from("<7I", data)
    found = {"magic": magic, "kind": kind, "flags": flags, "defined": set(), "undefined": set(), "sections": set()}
    at = 32
    for _ in range(commands):
        command, size = struct.unpack_from("<II", data, at)
        if command == 0x32:
            platform, minimum = struct.unpack_from("<II", data, at + 8)
            found["platform"], found["minimum"] = platform, (minimum >> 16, minimum >> 8 & 255)
        elif command == 0x19:
            (sections,) = struct.unpack_from("<I", data, at + 64)
            for i in range(sections):
                found["sections"].add(data[at + 72 + 80 * i :][:16].rstrip(b"\0").decode())
        elif command == 2:
            symbols, count, strings, _ = struct.unpack_from("<4I", data, at + 8)
            for i in range(count):
                name, kind_of, section, _, _ = struct.unpack_from("<IBBHQ", data, symbols + 16 * i)
                if not kind_of & 1 or kind_of & 0xE0:
                    continue
                text = data[strings + name : data.index(b"\0", strings + name)].decode()
                found["defined" if kind_of & 0x0E else "undefined"].add(text)
        at += size
    return found


def check_object(where, data, platform, minimum, declared):
    found = read_object(data)
    check(found["magic"] == 0xFEEDFACF and found["kind"] == 1, f"{where}: no object file")
    check(found["flags"] & 0x2000, f"{where}: an app's linker can't drop what is not used of it")
    check(found.get("platform") == platform, f"{where}: made for platform {found.get('platform')}, expected {platform}")
    check(found.get("minimum") == minimum, f"{where}: made for version {found.get('minimum')}, expected {minimum}")
    defined = {name[1:] for name in found["defined"]}
    check(defined == declared, f"{where}: shows {sorted(defined ^ declared)}, or lacks it")
    for name in sorted(found["undefined"]):
        plain = name[1:].split("$")[0]
        check(plain not in NEED_A_REASON, f"{where}: calls {plain}, which Apple wants a reason for")
        check(plain not in NOT_OURS, f"{where}: calls {plain}")
        check("Block" not in plain and "objc" not in plain, f"{where}: needs {plain}")
    check("__mod_init_func" not in found["sections"], f"{where}: runs code when it is loaded")
    check(not found["sections"] & {"__thread_vars", "__thread_bss"}, f"{where}: has variables of threads")


def check_framework(where, framework, platform, minimum):
    resources = os.path.join(framework, "Resources") if platform == "MacOSX" else framework
    with open(os.path.join(resources, "Info.plist"), "rb") as file:
        info = plistlib.load(file)
    for key, value in {
        "CFBundleExecutable": MODULE,
        "CFBundlePackageType": "FMWK",
        "CFBundleSupportedPlatforms": [platform],
        "MinimumOSVersion": minimum,
        "CFBundleInfoDictionaryVersion": "6.0",
    }.items():
        check(info.get(key) == value, f"{where}: {key} is {info.get(key)}, expected {value}")
    for key in ["CFBundleShortVersionString", "CFBundleVersion"]:
        check(re.fullmatch(r"\d+\.\d+\.\d+", info.get(key, "")), f"{where}: {key} is {info.get(key)}")
    check(re.fullmatch(r"[A-Za-z0-9.-]+", info.get("CFBundleIdentifier", "")), f"{where}: CFBundleIdentifier")
    with open(os.path.join(resources, "PrivacyInfo.xcprivacy"), "rb") as file:
        privacy = plistlib.load(file)
    check(
        privacy
        == {
            "NSPrivacyTracking": False,
            "NSPrivacyTrackingDomains": [],
            "NSPrivacyCollectedDataTypes": [],
            "NSPrivacyAccessedAPITypes": [],
        },
        f"{where}: the privacy manifest is {privacy}",
    )
    if platform == "MacOSX":
        for name in [MODULE, "Headers", "Modules", "Resources"]:
            link = os.path.join(framework, name)
            check(os.path.islink(link) and os.path.exists(link), f"{where}: {name} is no link into Versions")
    with open(os.path.join(framework, "Modules", "module.modulemap"), encoding="utf-8") as file:
        named = set(re.findall(r'header "([^"]+)"', file.read()))
    check(named == set(os.listdir(os.path.join(framework, "Headers"))), f"{where}: the module map names {sorted(named)}")


def main(zip_path, headers, folder):
    declared = set()
    for name in os.listdir(headers):
        if name.endswith(".h"):
            with open(os.path.join(headers, name), encoding="utf-8") as file:
                declared |= set(re.findall(r"HP_API\s[^;(]*?\b(hp_\w+)\(", file.read()))
    check(len(declared) > 30, f"{len(declared)} functions in the headers")
    unpack(zip_path, folder)
    root = os.path.join(folder, "Handpick.xcframework")
    with open(os.path.join(root, "Info.plist"), "rb") as file:
        info = plistlib.load(file)
    check(info["CFBundlePackageType"] == "XFWK" and info["XCFrameworkFormatVersion"] == "1.0", "Info.plist")
    libraries = {library["LibraryIdentifier"]: library for library in info["AvailableLibraries"]}
    check(set(libraries) == set(SLICES), f"the slices are {sorted(libraries)}")
    for name, (platform, minima, plist_platform, minimum) in SLICES.items():
        library = libraries[name]
        check(library["SupportedPlatform"] == name.split("-")[0], f"{name}: SupportedPlatform")
        check((library.get("SupportedPlatformVariant") == "simulator") == name.endswith("simulator"), f"{name}: variant")
        check(library["SupportedArchitectures"] == sorted(minima), f"{name}: SupportedArchitectures")
        framework = os.path.join(root, name, library["LibraryPath"])
        check_framework(name, framework, plist_platform, minimum)
        with open(os.path.join(root, name, library["BinaryPath"]), "rb") as file:
            parts = universal_parts(file.read())
        check(set(parts) == set(minima), f"{name}: for {sorted(parts)}")
        for processor, data in parts.items():
            members = archive_members(data)
            check(len(members) == 1, f"{name}: {len(members)} objects for {processor}")
            shown = set() if name.endswith("simulator") else declared
            check_object(f"{name}, {processor}", members[0][1], platform, minima[processor], shown)
            if name.startswith("macos"):
                with open(os.path.join(folder, processor + ".a"), "wb") as file:
                    file.write(data)
    for failure in failures:
        print("check_apple:", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
