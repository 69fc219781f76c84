"""Where the book is published, from one setting, and the links that open a chapter on somebody's server from there.

The setting is `repository: url:` in `_config.yml`. While it is absent, no page has such a link.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import yaml

from book.errors import BookError

ADDRESS = re.compile(r"https://github\.com/(?P<owner>[A-Za-z0-9][A-Za-z0-9-]*)/(?P<name>[A-Za-z0-9._-]+?)(?:\.git)?/?")
BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


@dataclass(frozen=True)
class Repository:
    """A public repository on GitHub and the branch that readers get."""

    owner: str
    name: str
    branch: str

    @property
    def address(self) -> str:
        """The repository as a program clones it."""
        return f"https://github.com/{self.owner}/{self.name}"

    def colab(self, place: str) -> str:
        """Return the address that opens the notebook at `place` in Colab."""
        return f"https://colab.research.google.com/github/{self.owner}/{self.name}/blob/{quote(self.branch)}/{quote(place)}"

    def binder(self, place: str) -> str:
        """Return the address that opens the notebook at `place` on mybinder.org."""
        return f"https://mybinder.org/v2/gh/{self.owner}/{self.name}/{quote(self.branch, safe='')}?{urlencode({'labpath': place})}"

    def jupyterhub(self, place: str) -> str:
        """Return what follows a JupyterHub's own address so that nbgitpuller fetches the book and opens the notebook at `place`."""
        asked = {"repo": self.address, "branch": self.branch, "urlpath": f"lab/tree/{self.name}/{place}"}
        return f"/hub/user-redirect/git-pull?{urlencode(asked)}"

    def fetched_in_colab(self, folder: str) -> str:
        """Return the line that a reader of Colab runs first: Colab opens a notebook alone, without the files beside it."""
        return f"!git clone --depth 1 --branch {self.branch} {self.address} && pip install -q ./{self.name} statsmodels pingouin seaborn\n%cd {self.name}/{folder}"


def repository(root: Path) -> Repository | None:
    """Return the repository that `_config.yml` names, None where it names none; raise BookError with field, value and remedy."""
    held = (yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8")) or {}).get("repository") or {}
    if not held.get("url"):
        return None
    found, branch = ADDRESS.fullmatch(str(held["url"])), str(held.get("branch") or "main")
    if not found:
        raise BookError(f"_config.yml: field repository.url: {held['url']!r}: Colab and Binder open notebooks from GitHub; write https://github.com/OWNER/NAME")
    if not BRANCH.fullmatch(branch):
        raise BookError(f"_config.yml: field repository.branch: {branch!r}: write the name of a branch, such as main")
    return Repository(found["owner"], found["name"], branch)
