# shellcheck shell=bash disable=SC2154
# For programs on Windows, by Debian's mingw: handpick.dll with its import library, and the static library for mingw. The engine is
# Highway: XNNPACK is not built for Windows.

tool=/usr/bin/x86_64-w64-mingw32
[ -x "$tool-g++-win32" ] || missing "mingw: platforms/setup.sh windows"

name=handpick-$version-windows-x86_64
content=$work/$name
mkdir -p "$content"/{bin,include,lib}
cp -R sdk/include/handpick "$content/include/"
cp LICENSE "$content/"

build --config=windows-x86_64 //sdk:objects
root_of_outputs=$(bazel info --config=windows-x86_64 execution_root 2>/dev/null)
mapfile -t objects < <(built --config=windows-x86_64 //sdk:objects)

# All objects as one, in which the symbols of others than hp_* are local.
(cd "$root_of_outputs" && "$tool-ld" -r "${objects[@]}" -o "$work/joined.o")
# Again: the first time leaves what asks for a second copy of an inline function apart from the copy that was kept.
"$tool-ld" -r "$work/joined.o" -o "$work/handpick.o"
"$tool-nm" --defined-only --extern-only "$work/handpick.o" | sed -n 's/.* T \(hp_[a-z_]*\)$/\1/p' | sort >"$work/exports"
[ -s "$work/exports" ] || die "no function to export"
python3 platforms/windows/plain_sections.py "$work/handpick.o"
"$tool-objcopy" --keep-global-symbols="$work/exports" --strip-unneeded "$work/handpick.o"
"$tool-ar" rcsD "$content/lib/libhandpick.a" "$work/handpick.o"

{ printf 'LIBRARY handpick.dll\nEXPORTS\n'; sed 's/^/  /' "$work/exports"; } >"$content/lib/handpick.def"
# The address is the usual one of a DLL: the linker would make one of the file's path.
(cd "$work" && "$tool-g++-win32" -shared -static -s -Wl,--gc-sections,--no-insert-timestamp,--dynamicbase,--nxcompat,--high-entropy-va,--image-base,0x180000000 \
  -o "$content/bin/handpick.dll" handpick.o "$content/lib/handpick.def" -lstdc++)
# The prefix and the name of the file are in the file. handpick.lib is the same for Microsoft's linker.
(cd "$content/lib" && "$tool-dlltool" --deterministic-libraries --temp-prefix handpick -d handpick.def -l libhandpick.dll.a)
cp "$content/lib/libhandpick.dll.a" "$content/lib/handpick.lib"

mkdir "$work/zip"
mv "$content" "$work/zip/"
make_zip "$work/zip" "$out/$name.zip"
