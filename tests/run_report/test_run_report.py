"""The page about several trainings: what it finds, says, and how it loads."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from browser import console_of, find_browser
from PIL import Image

from mmmim.analysis.record import Record, Series
from mmmim.run_report.main import build_page, main
from mmmim.run_report.runs import read_run
from mmmim.run_report.transfer import find_rows
from mmmim.visualization.image_grid import ImageGrid

VOID = {'meta', 'link', 'img', 'br', 'hr', 'wbr'}
CONFIG = """
default_scope = 'mmpretrain'
model = dict(type='mmmim.MaskedImageModeling', neck=dict(drop_edge={drop}))
train_cfg = dict(by_epoch=True, max_epochs=2)
train_dataloader = dict(batch_size=8)
"""


def write_run(folder, drop=0.3, ended=True, steps=6, measures=True, seed=0):
    """A work directory as a training leaves it."""
    logs = folder / '20260101_000000' / 'vis_data'
    logs.mkdir(parents=True)
    lines = [dict(step=10 * i, loss=1 / i, lr=1e-3, images_per_second=9.0) for i in range(1, steps)]
    if measures:
        blocks = {f'holdout/token_variance/block{i:02d}': 1 / i for i in (1, 2, 3)}
        for step in (20, 40):
            line = {'step': step, 'holdout/effective_rank': 7.5, 'holdout/seconds': 1.0}
            lines.append(line | {'holdout/knn_top1': 33.0} | blocks)
    (logs / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)) + '\n')
    (folder / 'mae.py').write_text(CONFIG.format(drop=drop))
    record = dict(
        command='python tools/train.py <mae>.py', config='configs/mae.py', bases=['base.py'],
        changes=[['model.neck.drop_edge', '0.0', str(drop)]], versions=dict(torch='2.9'),
        code='abc', hardware='2 cores', processes=2, batch_size=8, accumulation=1, unit='epochs',
        length=2, max_iters=60, images=99, started='2026-01-01T00:00:00+00:00',
        ended='2026-01-01T01:00:00+00:00' if ended else None,
    )  # fmt: skip
    (folder / '20260101_000000' / 'run.json').write_text(json.dumps(record))
    rng = np.random.default_rng(seed)
    names = ['input', 'corrupted', 'prediction', 'pasted', 'target']
    tiles = [[np.full((16, 16, 3), 40 * row, np.uint8)] for row in range(2)]
    for row in tiles:
        row += [rng.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in names[1:]]
    ImageGrid(names, tiles, 'A caption.').save(folder / 'reconstructions/last')
    return folder


def write_rest(folder, shift=0.0):
    """What tools leave in it: an analysis, predictions and transfer results beside it."""
    curve = Series('last block', [0.1, 0.5, 0.9], [0.9 - shift, 0.5, 0.2], [0.1, 0.1, 0.1])
    record = Record('cka', 'CKA <of> images', 'How alike.', series=[curve], command='python cka.py')
    record.x, record.y = dict(label='hidden', unit='share'), dict(label='CKA', unit='')
    record.save(folder / 'analysis', [Image.new('RGB', (40, 30), 'white')])
    picture = np.zeros((20, 20, 3), np.uint8)
    drawn = ImageGrid(['image', 'truth', 'found'], [[picture] * 3], legend=[('cat', '#112233')])
    drawn.save(folder / 'analysis' / 'predictions')
    Record('predictions', 'Predictions', '').save(folder / 'analysis', [drawn.sheet()])
    results = folder.parent / 'transfer' / f'{folder.name}-encoder'
    results.mkdir(parents=True)
    sides = dict(pretrained=dict(mean=70.0 + shift, se=0.5, seeds=[69.5, 70.5]), scratch=None)
    task = dict(title='k-NN', metric='top-1 (%)', sides=sides)
    content = dict(checkpoint=f'work_dirs/{folder.name}/encoder.pth', tasks=[task])
    (results / 'results.json').write_text(json.dumps(content))


@pytest.fixture(scope='module')
def two_runs(tmp_path_factory):
    root = tmp_path_factory.mktemp('runs')
    for index, name in enumerate(('mae', 'robust & <mae>')):
        folder = write_run(root / name, drop=0.3 * index, ended=not index, seed=index)
        write_rest(folder, shift=index)
    return [root / 'mae', root / 'robust & <mae>']


@pytest.fixture(scope='module')
def page(two_runs):
    html, problems = build_page(two_runs)
    assert problems == []
    return html


class Checker(HTMLParser):
    """Collects ids and addresses, and checks that tags nest."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.sources, self.tags = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        self.ids += [attrs['id']] if 'id' in attrs else []
        self.sources += [attrs[key] for key in ('src', 'href') if key in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f'</{tag}> closes {self.open[-3:]}'
        self.open.pop()


def test_page_is_well_formed_and_needs_nothing_else(page):
    checker = Checker()
    checker.feed(page)
    assert not checker.open and len(checker.ids) == len(set(checker.ids))
    assert all(source.startswith(('#', 'data:')) for source in checker.sources)
    assert {source[1:] for source in checker.sources if source[0] == '#'} <= set(checker.ids)
    assert not {tag for tag, _ in checker.tags} & {'script', 'iframe', 'object'}
    assert all(attrs['alt'] for tag, attrs in checker.tags if tag == 'img')
    assert '<mae>' not in page and 'robust &amp; &lt;mae&gt;' in page


def test_every_part_is_there(page):
    titles = re.findall(r'<h2[^>]*>(.*?)</h2>', page)
    assert titles == [
        'The runs', 'What differs between them', 'Training', 'On a hold-out, while training',
        'Reconstructions', 'Transfer', 'Predictions', 'Analysis', 'What was run', 'What is missing',
    ]  # fmt: skip
    for words in (
        '70.0 ± 0.5', 'not finished: iteration 50 of 60', 'finished', '1:00:00', '0.2000',
        'python tools/train.py &lt;mae&gt;.py', 'model.neck.drop_edge', '2 x 8 x 1 = 16',
        'CKA &lt;of&gt; images', 'mae/analysis/predictions', 'Beside each other',
        'hidden (share)', 'abc',
    ):  # fmt: skip
        assert words in page.replace('<wbr>', ''), words
    assert 'attention.py' in page and 'cka.py work' not in page  # what is missing, and what is not


def test_charts_have_axes_a_legend_and_are_read_out(page):
    charts = re.findall(r'<figure class="chart">.*?</figure>', page, re.S)
    assert len(charts) == 3 + 3 + 1 + 1  # logged, measured, transfer, together
    for chart in charts:
        assert chart.count('class="axis"') >= 1 and '<desc' in chart and 'figcaption' in chart
        assert 'class="legend"' in chart
    assert 'images seen (thousands)' in charts[0] and 'class="band s0"' in charts[-1]


def test_images_are_counted_over_all_processes(two_runs):
    run = read_run(two_runs[0])
    assert run.images_per_step == 16 and run.kind == 'pre-training' and run.state == 'finished'


def test_a_run_without_a_record_is_shown_with_what_there_is(tmp_path):
    folder = write_run(tmp_path / 'old', measures=False)
    (folder / '20260101_000000' / 'run.json').unlink()
    html, problems = build_page([folder])
    assert problems == [] and 'wrote no run.json' in html and 'iteration 50' in html
    assert 'HoldoutHook' in html and 'tools/transfer.py' in html  # what is missing, how to get it


def test_damage_is_told_in_sentences_and_the_rest_is_shown(tmp_path, capsys):
    folder = write_run(tmp_path / 'mae')
    write_rest(folder)
    (folder / 'analysis' / 'bad.json').write_text('{"tool": ')
    (folder / 'analysis' / 'cka.png').write_bytes(b'no picture')
    (folder / '20260101_000000' / 'run.json').write_text('{')
    (folder / 'mae.py').write_text('import os\nmodel = os.getcwd()')
    (folder / 'reconstructions/last/index.json').write_text('[]')
    (tmp_path / 'transfer/mae-encoder/results.json').write_text('{"tasks": [{"title": "x"}]}')
    with open(folder / '20260101_000000/vis_data/scalars.json', 'a') as file:
        file.write('{"step": 60, "los')  # killed while writing
    assert main([str(folder)]) == 0
    err = capsys.readouterr().err
    for name in ('bad.json', 'cka.png', 'run.json', 'mae.py', 'last', 'results.json'):
        assert sum(name in line for line in err.splitlines()) == 1, (name, err)
    assert 'Traceback' not in err and 'Training loss' in (folder / 'report.html').read_text()


@pytest.mark.parametrize('make', [False, True])
def test_nothing_to_report_is_one_sentence(tmp_path, capsys, make):
    folder = tmp_path / 'empty'
    if make:
        folder.mkdir()
    assert main([str(folder)]) == 2
    err = capsys.readouterr().err
    assert err.startswith('error: ') and str(folder) in err and err.count('\n') == 1


def test_a_run_that_has_logged_nothing_yet(tmp_path):
    folder = write_run(tmp_path / 'young', steps=1, measures=False, ended=False)
    html, problems = build_page([folder])
    assert problems == [f'{folder} has logged no training step yet.']
    assert 'not finished: iteration 0 of 60' in html


def test_fine_tunings_below_a_folder_give_way_to_pre_trainings(tmp_path):
    for index in range(9):
        folder = write_run(tmp_path / f'ft{index}')
        (folder / 'mae.py').write_text("model = dict(type='ImageClassifier')")
    write_run(tmp_path / 'pre')
    html, problems = build_page([tmp_path])
    assert len(problems) == 1 and problems[0].startswith('9 fine-tunings')
    assert 'pre: what was run' in html and 'ft0: what was run' not in html


def test_tables_of_the_main_job_and_of_the_living_table(tmp_path):
    summary = dict(mean=50.0, se=None, seeds=[50.0])
    quick = dict(detection=dict(metric='mask mAP (%)', pretrained=summary, scratch=summary))
    (tmp_path / 'quickstart').mkdir()
    (tmp_path / 'quickstart/results.json').write_text(json.dumps(quick))
    living = dict(rows=dict(mae=dict(title='MAE', val=dict(knn=summary, ft=None))))
    (tmp_path / 'living_table.json').write_text(json.dumps(living))
    problems = []
    rows = {row.name: row.results for row in find_rows([tmp_path], problems)}
    assert problems == [] and set(rows) == {'MAE', 'quickstart, pretrained', 'quickstart, scratch'}
    assert rows['MAE']['k-NN, top-1 (%)'].mean == 50.0
    assert list(rows['quickstart, scratch']) == ['Detection, mask mAP (%)']


@pytest.mark.skipif(find_browser() is None, reason='no Chromium')
@pytest.mark.parametrize('width, scheme', [(360, 0), (1200, 1)])
def test_page_loads_in_chromium_without_a_word_on_the_console(page, tmp_path, width, scheme):
    probe = (
        '<script>addEventListener("load",()=>{document.title=[document.documentElement.scrollWidth,'
        'innerWidth,[...document.images].every(i=>i.naturalWidth)].join(" ")})</script>'
    )
    path = tmp_path / 'report.html'
    path.write_text(page.replace('</body>', f'{probe}</body>'))
    console, dom = console_of(
        path, tmp_path / 'profile', '--dump-dom', f'--window-size={width},900',
        f'--blink-settings=preferredColorScheme={scheme}',
    )  # fmt: skip
    assert console == ''
    scrolled, inner, loaded = re.search(r'<title>(\d+) (\d+) (\w+)</title>', dom).groups()
    assert loaded == 'true' and int(scrolled) <= int(inner)  # no sideways scrolling of the page


@pytest.mark.skipif(find_browser() is None, reason='no Chromium')
def test_the_console_is_heard(tmp_path):
    path = tmp_path / 'bad.html'
    path.write_text('<script>nothing()</script>')
    assert 'nothing is not defined' in console_of(path, tmp_path / 'profile', '--dump-dom')[0]
