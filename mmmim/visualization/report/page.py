"""A page from sections: head, style, table of contents, content. Nothing is loaded."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from .style import STYLE


class Section(NamedTuple):
    """Part of a page; ``body`` is HTML."""

    key: str
    title: str
    body: str


def render_page(title: str, lead: str, sections: list[Section]) -> str:
    """One HTML document.

    Args:
        title: Plain text.
        lead: HTML below the title: what this is and what came out.
        sections: Parts in order; those with an empty body are left out.
    """
    sections = [section for section in sections if section.body]
    links = ''.join(f'<li><a href="#{s.key}">{escape(s.title)}</a></li>' for s in sections)
    parts = ''.join(
        f'<section id="{s.key}" aria-labelledby="{s.key}-h">'
        f'<h2 id="{s.key}-h">{escape(s.title)}</h2>{s.body}</section>'
        for s in sections
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<link rel="icon" href="data:,">\n'
        f'<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n'
        '<a class="skip" href="#content">Skip to the results</a>\n'
        f'<header><h1>{escape(title)}</h1>{lead}'
        f'<nav aria-label="Contents"><ul>{links}</ul></nav></header>\n'
        f'<main id="content" tabindex="-1">{parts}</main>\n</body>\n</html>\n'
    )
