import re
from html.parser import HTMLParser

import pytest
from fakes import fake_story

from mmmim.quickstart.report import build_report

VOID = {'meta', 'link', 'img', 'br', 'hr', 'wbr'}


class Checker(HTMLParser):
    """Collects ids, links and addresses, and checks that tags nest."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.targets, self.sources = [], [], [], []
        self.images, self.tags = [], set()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.add(tag)
        self.ids += [attrs['id']] if 'id' in attrs else []
        self.sources += [attrs[key] for key in ('src', 'href') if key in attrs]
        if tag == 'img':
            self.images.append(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f'</{tag}> closes {self.open[-3:]}'
        self.open.pop()


@pytest.fixture(scope='module', params=[False, True], ids=['quick', 'full'])
def page(request, tmp_path_factory):
    html = build_report(fake_story(tmp_path_factory.mktemp('run'), request.param))
    checker = Checker()
    checker.feed(html)
    checker.close()
    return html, checker, request.param


def test_page_is_well_formed_and_its_ids_are_unique(page):
    _, checker, _ = page
    assert not checker.open
    assert len(checker.ids) == len(set(checker.ids))


def test_page_needs_nothing_from_elsewhere(page):
    html, checker, _ = page
    assert all(source.startswith(('#', 'data:')) for source in checker.sources)
    assert not checker.tags & {'script', 'iframe', 'object'}
    assert '@import' not in html and 'url(' not in html
    assert {source[1:] for source in checker.sources if source[0] == '#'} <= set(checker.ids)


def test_every_picture_has_a_text_and_every_chart_is_labelled(page):
    html, checker, _ = page
    assert len(checker.images) == 4 * 5 + 2 * 4 * 4
    assert all(image['alt'] for image in checker.images)
    for chart in re.findall(r'<figure class="chart">.*?</figure>', html, re.S):
        drawing = chart[chart.index('role="img"') :]
        assert 'class="axis"' in drawing and '<title' in drawing and '<desc' in drawing


def test_page_shows_the_numbers(page):
    html, _, full = page
    assert ('± 0.6' in html) == full
    assert ('Choice of the learning rates' in html) == full
    assert 'one seed' not in html or not full
    assert '+9.0' in html and 'bash tools/quickstart.sh' in html


def test_user_text_is_escaped(tmp_path):
    story = fake_story(tmp_path)._replace(command='quickstart --data <b>&')
    assert '--data &lt;b&gt;&amp;' in build_report(story)
