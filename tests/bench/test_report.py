"""The report of a real run, opened in a browser without a network.

Chromium is Debian's package `chromium`; where there is none, these tests are skipped and say so.
"""

import re
import shutil
import subprocess

import pytest

from stator import binary
from test_bench import run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is missing (Debian: apt-get install chromium)"
)

SECTIONS = (
    "summary percentiles heat throughput operations errors stages moments engine costs configuration"
    " machine"
).split()


def opened(page, *options):
    """The document as it is when its scripts have run, and what the browser says about it."""
    shown = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            # Whatever asked for the network would fail, and be an error in the console.
            *("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:1"),
            *("--enable-logging=stderr", "--window-size=1100,3200", *options, page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    console = [line for line in shown.stderr.splitlines() if "CONSOLE" in line]
    return shown.stdout, console


def sections(document):
    return re.findall(r'<section id="(\w+)"', document)


def test_a_report_shows_every_section(tmp_path):
    page, results = tmp_path / "report.html", tmp_path / "results.json"
    run(
        results,
        *("--mix", "get=8,put=2", "--rate", "300", "--warm-up", "1s", "--duration", "4s"),
        *("--report", str(page), "--name", "</script><b>one"),
    )
    text = page.read_text()
    assert not re.findall(r"""(?:src|href)=|https?://(?!127\.0\.0\.1|www\.w3\.org/2000/svg)""", text)
    document, console = opened(page, "--dump-dom")
    assert not console, console
    assert sections(document) == SECTIONS
    # A curve of its own in each of the drawings, and a name that is a name and not markup.
    assert document.count('class="curve"') >= 9
    # Stages end to end, by job and by operation, and over time.
    bars = re.findall(r"<rect [^>]*><title>([^<:]+)", document)
    assert {"parse", "engine read", "sync", "respond", "around the server"} <= set(bars), bars
    assert document.count('class="area"') >= 4
    assert all(f">{name}<" in document for name in ("GetItem", "PutItem", "its slowest 1 %", "total"))
    assert "<b>one" not in document.split("</script>", 1)[1] and "&lt;/script&gt;&lt;b&gt;one" in document

    # As a dark page, and printed.
    _, console = opened(page, "--blink-settings=preferredColorScheme=0", "--dump-dom")
    assert not console, console
    printed = tmp_path / "report.pdf"
    _, console = opened(page, f"--print-to-pdf={printed}", "--no-pdf-header-footer")
    assert not console, console
    pages = printed.read_bytes().count(b"/Type /Page\n")
    assert printed.read_bytes().startswith(b"%PDF") and 2 <= pages <= 9, pages

    both = tmp_path / "both.html"
    command = ["bench", "--report", str(both), "--compare", str(results), str(results)]
    subprocess.run([binary(), *command], check=True, timeout=60)
    document, console = opened(both, "--dump-dom")
    assert not console, console
    assert "×1.00" in document
    assert sections(document) == sorted([*SECTIONS, "heat1", "moments1"], key=order)


def order(name):
    """The second run's sections stand behind the first's."""
    return SECTIONS.index(name.removesuffix("1")) + 0.5 * name.endswith("1")


def test_the_browser_sees_errors(tmp_path):
    """What the test above relies on: an error of a script, or a request, is in the console."""
    page = tmp_path / "broken.html"
    page.write_text('<img src="http://example.com/a.png"><script>missing()</script>')
    _, console = opened(page, "--dump-dom")
    assert any("missing" in line for line in console), console
