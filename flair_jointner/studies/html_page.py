"""Markdown as one HTML file that needs no other."""

import base64
import html
import mimetypes
import re
from pathlib import Path
from urllib.parse import unquote

import markdown

_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; font-size: 90%; }
td, th { border: 1px solid #bbb; padding: .2em .6em; }
img { max-width: 100%; }
@media print { body { margin: 0; font-size: 10pt; } }
"""


def html_page(text: str, folder: Path) -> str:
    """Makes a page of a text, with its pictures in it.

    Args:
        text: Markdown, the first line of which is the title.
        folder: What the addresses of the pictures start from; a picture that is not there keeps
            its address.

    Returns:
        HTML.
    """
    body = markdown.markdown(text, extensions=["tables"])

    def inline(match: re.Match[str]) -> str:
        picture = folder / unquote(html.unescape(match[1]))
        kind, _ = mimetypes.guess_type(picture.name)
        if not picture.exists() or kind is None:
            return match[0]
        data = base64.b64encode(picture.read_bytes()).decode()
        return f'src="data:{kind};base64,{data}"'

    body = re.sub(r'src="([^":]+)"', inline, body)
    title = html.escape(text.splitlines()[0].lstrip("# "))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n<body>\n{body}\n</body>\n</html>\n"
    )
