"""Static files of the pages: without data, so they need no token; with a strict content security policy."""

from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Final

from aiohttp import web

from .requests import HEADERS

HTML, SCRIPT, STYLE = "text/html", "text/javascript", "text/css"
PAGE_HEADERS: Final = HEADERS | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_SHARED: Final = {"/page.js": ("page.js", SCRIPT), "/page.css": ("page.css", STYLE)}
"""What all pages use: text that is safe to show, requests with the tab's token, colours."""


def add_routes(app: web.Application) -> None:
    """Add what all pages use."""
    add_files(app, __package__, "assets", _SHARED)


def add_files(app: web.Application, package: str, folder: str, served: Mapping[str, tuple[str, str]]) -> None:
    """Serve files of a package's folder: by path, the file's name and its media type."""
    for path, (name, media_type) in served.items():
        app.router.add_get(path, _sends(files(package).joinpath(folder, name).read_bytes(), media_type))


def _sends(body: bytes, media_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def send(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=media_type, charset="utf-8", headers=PAGE_HEADERS)

    return send
