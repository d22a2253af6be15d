"""Prints what Apple's tools want beside a library: property lists, and the module map.

    plists.py framework MODULE VERSION PLATFORM MINIMUM COMPILER   Info.plist of a framework
    plists.py xcframework MODULE                                   Info.plist of the XCFramework
    plists.py privacy                                              PrivacyInfo.xcprivacy
    plists.py modulemap MODULE HEADERS                             module.modulemap
"""

import os
import plistlib
import sys

SLICES = [
    # Folder, system, simulator or not, processors, where the library is in the framework.
    ("ios-arm64", "ios", None, ["arm64"], ""),
    ("ios-arm64_x86_64-simulator", "ios", "simulator", ["arm64", "x86_64"], ""),
    ("macos-arm64_x86_64", "macos", None, ["arm64", "x86_64"], "Versions/A/"),
]


def framework(module, version, platform, minimum, compiler):
    plist = {
        "CFBundleDevelopmentRegion": "en",
        "CFBundleExecutable": module,
        "CFBundleIdentifier": "dev.handpick." + module,
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleName": module,
        "CFBundlePackageType": "FMWK",
        "CFBundleShortVersionString": version,
        "CFBundleSupportedPlatforms": [platform],
        "CFBundleVersion": version,
        "DTCompiler": compiler,
        # Of macOS too: Xcode looks for this one when it embeds a framework.
        "MinimumOSVersion": minimum,
    }
    if platform == "MacOSX":
        plist["LSMinimumSystemVersion"] = minimum
    else:
        plist["UIDeviceFamily"] = [1, 2]
    return plist


def xcframework(module):
    libraries = []
    for folder, system, variant, processors, inside in SLICES:
        library = {
            "BinaryPath": f"{module}.framework/{inside}{module}",
            "LibraryIdentifier": folder,
            "LibraryPath": f"{module}.framework",
            "SupportedArchitectures": processors,
            "SupportedPlatform": system,
        }
        if variant:
            library["SupportedPlatformVariant"] = variant
        libraries.append(library)
    return {
        "AvailableLibraries": libraries,
        "CFBundlePackageType": "XFWK",
        "XCFrameworkFormatVersion": "1.0",
    }


def privacy():
    # The SDK collects nothing, has no network code, and calls nothing that Apple wants a reason for.
    return {
        "NSPrivacyAccessedAPITypes": [],
        "NSPrivacyCollectedDataTypes": [],
        "NSPrivacyTracking": False,
        "NSPrivacyTrackingDomains": [],
    }


def modulemap(module, headers):
    lines = [f"framework module {module} {{"]
    for name in sorted(os.listdir(headers)):
        if name.endswith(".h"):
            lines.append(f'  header "{name}"')
    lines += ["  export *"]
    for name in sorted(os.listdir(headers)):
        if name.endswith(".hpp"):
            lines += ["", "  explicit module CPlusPlus {", "    requires cplusplus17", f'    header "{name}"', "    export *", "  }"]
    return "\n".join(lines + ["}", ""])


def main(kind, *arguments):
    made = {"framework": framework, "xcframework": xcframework, "privacy": privacy, "modulemap": modulemap}[kind](*arguments)
    sys.stdout.buffer.write(made.encode() if isinstance(made, str) else plistlib.dumps(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
