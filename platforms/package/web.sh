# shellcheck shell=bash
# The npm package: the library as WebAssembly with SIMD, its JavaScript, and types. As `npm pack` lays it out.
command -v emcc >/dev/null || missing 'Emscripten (platforms/setup.sh web)'
build --config=web //sdk/web:handpick.wasm
mkdir "$work/package"
cp sdk/web/handpick.js sdk/web/handpick.d.ts sdk/web/README.md LICENSE "$(built --config=web //sdk/web:handpick.wasm)" "$work/package/"
sed "s/\"version\": \".*\"/\"version\": \"$version\"/" sdk/web/package.json >"$work/package/package.json"
chmod 644 "$work"/package/*
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=ustar -C "$work" -cf - package |
  gzip -n -9 >"$out/handpick-$version.tgz"
# For pages that use no package manager.
cp "$work/package/handpick.js" "$work/package/handpick.d.ts" "$work/package/handpick.wasm" "$out/"
