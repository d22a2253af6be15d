#!/usr/bin/env bash
# The page of `handpick evaluate --report` in a real browser, light and dark: drawn, without a word on its console, and
# without asking for anything else. On a phone nothing of it is cut off. The JUnit file is XML.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! platforms/setup.sh web-test; then
  echo 'skipped: not installed: chromium (platforms/setup.sh web-test)'
  exit 77
fi
bazel build --color=no --curses=no --noshow_progress //converter/cli:handpick
handpick=$(bazel info bazel-bin 2>/dev/null)/converter/cli/handpick
model=examples/din/model
convert=("$handpick" convert --quiet --spec $model/model.spec.json --weights $model/model.safetensors --catalog $model/catalog.jsonl)
"${convert[@]}" --precision f32 --out "$work/f32.hpk" >/dev/null
"${convert[@]}" --precision auto --budget auc=0.001,overlap=0.97 --evaluation $model/evaluation.jsonl,$model/ranking.jsonl \
  --instruction-sets own --out "$work/auto.hpk" --report "$work/conversion.json" >/dev/null
status=0
"$handpick" evaluate --bundle "$work/auto.hpk" --conversion "$work/conversion.json" --against "$work/f32.hpk" --rows $model/evaluation.jsonl --slice history \
  --require 'auc >= 0.6,auc >= 0.8,kendall_tau >= 0.9999' --report "$work/report.html" --junit "$work/junit.xml" \
  --markdown "$work/report.md" >"$work/text" || status=$?
[ "$status" = 3 ]
python3 - "$work" <<'CHECK'
import sys, xml.etree.ElementTree as tree
work = sys.argv[1]
suite = tree.parse(work + "/junit.xml").getroot()
assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1"), suite.attrib
page = open(work + "/report.html", encoding="utf-8").read()
for url in ("http:", "https:", "src=", "<script", "url("):
    assert url not in page, url
assert page.count("<svg") == 5 and page.count("<svg") == page.count("</svg>"), page.count("<svg")
for words in ("Verdict: <span class=\"fail\">", "AUC by slice", "Reliability", "Differences of logits", "Bytes of the bundle",
              "<h2>Tables and layers</h2>", "multiply-adds a candidate, as the trainer wrote it",
              "multiply-adds once a context", "of these, for each event"):
    assert words in page, words
# In a frame as wide as a phone (the browser's own window can't be so narrow), with what asks how wide things are.
import html
ask = """<script>onload = () => {
  const of = document.querySelector("iframe").contentDocument
  const cut = [of.documentElement, ...of.querySelectorAll(".wide")].filter(part => part.scrollWidth > part.clientWidth)
  document.title = of.documentElement.clientWidth + " wide, cut off: " + cut.map(part => part.innerText.replace(/\s+/g, " ").slice(0, 40)).join("; ")
}</script>"""
frame = '<iframe style="width:390px;height:800px;border:0" srcdoc="' + html.escape(page, quote=True) + '"></iframe>'
open(work + "/phone.html", "w", encoding="utf-8").write("<!DOCTYPE html><title>not loaded</title>" + frame + ask)
CHECK
for scheme in 0 1; do # Dark, light.
  timeout 120 chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --blink-settings=preferredColorScheme=$scheme \
    --window-size=420,3000 --screenshot="$work/$scheme.png" --enable-logging=stderr "file://$work/report.html" 2>"$work/log" >/dev/null
  if grep -i 'CONSOLE' "$work/log"; then echo "the console has a word to say"; exit 1; fi
done
timeout 120 chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --dump-dom "file://$work/phone.html" 2>/dev/null |
  grep -o '<title>.*</title>' | tail -1 >"$work/phone"
[ "$(cat "$work/phone")" = '<title>390 wide, cut off: </title>' ] || { cat "$work/phone"; exit 1; }
# On paper.
timeout 120 chromium --headless=new --no-sandbox --disable-gpu --print-to-pdf="$work/report.pdf" "file://$work/report.html" 2>/dev/null
[ "$(head -c 5 "$work/report.pdf")" = '%PDF-' ]
# Drawn, in two schemes: the corner's colour is the page's, and there are many others.
python3 - "$work" <<'PIXELS'
import struct, sys, zlib
def pixels(path):
    data = open(path, "rb").read()
    at, idat = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        idat += body if kind == b"IDAT" else b""
        at += size + 12
    assert depth == 8 and colour in (2, 6)
    n = 3 if colour == 2 else 4
    raw, rows, last = zlib.decompress(idat), [], bytes(width * n)
    for y in range(height):
        filter_, line = raw[y * (width * n + 1)], bytearray(raw[y * (width * n + 1) + 1:(y + 1) * (width * n + 1)])
        for i in range(width * n):
            a, b, c = (line[i - n] if i >= n else 0), last[i], (last[i - n] if i >= n else 0)
            if filter_ == 1: line[i] = line[i] + a & 255
            elif filter_ == 2: line[i] = line[i] + b & 255
            elif filter_ == 3: line[i] = line[i] + (a + b) // 2 & 255
            elif filter_ == 4:
                p = a + b - c
                pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
                line[i] = line[i] + (a if pa <= pb and pa <= pc else b if pb <= pc else c) & 255
        last = bytes(line)
        rows.append(last)
    return width, n, rows
corners = []
for scheme in "01":
    width, n, rows = pixels(f"{sys.argv[1]}/{scheme}.png")
    corners.append(sum(rows[0][:3]))
    assert len({row[i:i + 3] for row in rows for i in range(0, width * n, n)}) > 50
assert corners[0] < 150 and corners[1] > 700, corners
PIXELS
echo 'a page, drawn in two schemes'
