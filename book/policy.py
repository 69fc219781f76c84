"""The content security policy of a page: what the browser may load and run, said in the page itself.

The site has no server of its own that could send it as a header, so it stands in a `<meta>`, before anything that it governs.
Every script that Sphinx or the theme wrote into the page is allowed by its hash, and no other: a script that somebody slips in does not run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from book.files import write_whole

PAGE = "data-content_root="  # in the first lines of each page that Sphinx writes, and of no page of another project
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; base-uri 'none'; form-action 'self'; object-src 'none'"  # a worker of the page's own making is under this policy too
)
SCRIPT = re.compile(r"<script\b(?P<held>[^>]*)>(?P<code>.*?)</script>", re.DOTALL | re.IGNORECASE)
TYPE = re.compile(r"""\btype\s*=\s*["']?([^"'\s>]*)""", re.IGNORECASE)
RUN = {"", "text/javascript", "application/javascript", "module", "importmap", "speculationrules"}
CHARSET = re.compile(r"<meta charset=[^>]*>", re.IGNORECASE)
THERE = re.compile(r'\s*<meta http-equiv="Content-Security-Policy"[^>]*>', re.IGNORECASE)


def run(site: Path) -> int:
    """Return how many pages below the folder `site` were given their policy; pages of other projects are left as they are."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}
    own = {path: page for path, page in pages.items() if PAGE in page[:1000]}
    for path, page in own.items():
        write_whole(path, with_policy(page))
    return len(own)


def inline_scripts(page: str) -> list[str]:
    """Return the code of the scripts that stand in the page itself and are run, in order; data in scripts is not among them."""
    scripts = ((found["held"], found["code"]) for found in SCRIPT.finditer(page))
    return [code for held, code in scripts if not re.search(r"\bsrc\s*=", held) and (TYPE.search(held) or ["", ""])[1].lower() in RUN and code]


def hash_of(code: str) -> str:
    """Return the source expression that allows the script: the hash of its text as the browser reads it, in base64."""
    text = code.replace("\r\n", "\n").replace("\r", "\n")
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def policy_of(page: str) -> str:
    """Return the policy of the page, with a hash for each of its own scripts."""
    return POLICY.format(hashes="".join(f" {each}" for each in dict.fromkeys(map(hash_of, inline_scripts(page)))))


def with_policy(page: str) -> str:
    """Return the page with its policy after its character set, before anything is loaded; raise ValueError if it names no character set."""
    page = THERE.sub("", page)
    found = CHARSET.search(page)
    if not found:
        raise ValueError('the page has no <meta charset="utf-8">, after which its content security policy stands: use the theme\'s layout')
    return f'{page[: found.end()]}\n    <meta http-equiv="Content-Security-Policy" content="{policy_of(page)}">{page[found.end() :]}'
