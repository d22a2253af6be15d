"""Repository rule for the table in pins.bzl.

A source comes from the directory that platforms/setup.sh filled (HANDPICK_SOURCES, which the
.bazelrc.local that it writes sets), and else from upstream. Both are checked by sha256.
"""

def _pinned_source_impl(ctx):
    tried = []
    done = False

    sources = ctx.os.environ.get("HANDPICK_SOURCES", "")
    if sources and ctx.attr.debian_sha256:
        tarball = ctx.path(sources).get_child(ctx.attr.debian_file)
        if tarball.exists:
            result = ctx.download_and_extract(
                # Debian's file names have characters that mean something else in a URL.
                url = "file://" + str(tarball).replace("~", "%7E").replace("+", "%2B"),
                sha256 = ctx.attr.debian_sha256,
                stripPrefix = ctx.attr.debian_strip_prefix,
                type = _archive_type(ctx.attr.debian_file),
                allow_fail = True,
            )
            done = result.success
        if not done:
            tried.append("%s (%s)" % (tarball, "wrong checksum" if tarball.exists else "not there"))

    if not done:
        result = ctx.download_and_extract(
            url = ctx.attr.url,
            sha256 = ctx.attr.sha256,
            stripPrefix = ctx.attr.strip_prefix,
            allow_fail = True,
        )
        done = result.success
        tried.append(ctx.attr.url)

    if not done:
        fail("\n".join([
            "",
            "The source of '%s' could not be had. Tried:" % ctx.name,
        ] + ["  " + t for t in tried] + [
            "Run platforms/setup.sh, which fetches the Debian source tarballs, or give this machine",
            "access to the address above. The pin is in platforms/pins.bzl.",
        ]))

    for path in ctx.attr.drop:
        ctx.delete(path)
    for path, edits in ctx.attr.edit.items():
        text = ctx.read(path)
        for i in range(0, len(edits), 2):
            if edits[i] not in text:
                fail("platforms/pins.bzl, '%s': text to replace is not in %s:\n%s" %
                     (ctx.name, path, edits[i]))
            text = text.replace(edits[i], edits[i + 1])
        ctx.delete(path)
        ctx.file(path, text, executable = False)
    if ctx.attr.build_file:
        ctx.delete("BUILD")
        ctx.delete("BUILD.bazel")
        ctx.file("BUILD.bazel", ctx.read(ctx.attr.build_file), executable = False)
    ctx.delete("WORKSPACE.bazel")
    ctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % ctx.name, executable = False)

def _archive_type(file):
    for suffix in ["tar.gz", "tar.xz", "tar.bz2"]:
        if file.endswith("." + suffix):
            return suffix
    fail("unknown kind of archive: " + file)

pinned_source = repository_rule(
    implementation = _pinned_source_impl,
    attrs = {
        "build_file": attr.label(allow_single_file = True),
        "debian_file": attr.string(),
        "debian_sha256": attr.string(),
        "debian_strip_prefix": attr.string(),
        "drop": attr.string_list(),
        "edit": attr.string_list_dict(),
        "sha256": attr.string(mandatory = True),
        "strip_prefix": attr.string(),
        "url": attr.string(mandatory = True),
    },
    environ = ["HANDPICK_SOURCES"],
)

def pinned_sources(pins):
    """Declares one repository for each pin that the workspace has not declared yet."""
    for name, pin in pins.items():
        if native.existing_rule(name):
            continue
        debian = pin.get("debian", ["", "", "", ""])
        edit = {}
        for path, edits in pin.get("edit", {}).items():
            edit[path] = [text for pair in edits for text in pair]
        pinned_source(
            name = name,
            url = pin["url"],
            sha256 = pin["sha256"],
            strip_prefix = pin["strip_prefix"],
            debian_file = debian[1],
            debian_sha256 = debian[2],
            debian_strip_prefix = debian[3],
            build_file = pin.get("build_file"),
            drop = pin.get("drop", []),
            edit = edit,
        )
