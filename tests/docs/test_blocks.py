"""The pages are followed: their shell and Python blocks are run, on small scenes and few steps.

Blocks in a ``console`` fence are not: they need a GPU, Slurm, ImageNet or files of the reader's.
test_commands.py has their commands parsed.
"""

import ast
import json
import re

import pytest
import stand_ins
from pages import PAGES, ROOT, blocks, commands
from sandbox import Sandbox, python_blocks

# A page or command that another test follows, or that would run this one -> why it is left out.
LEFT_OUT = {
    'CONTRIBUTING.md': 'tests/test_contributing.py writes its files down, trains and tests them',
    'bash tools/run_tests.sh': 'this suite',
    'bash tools/quickstart.sh': 'tests/quickstart runs the main job on scenes of its own',
    'python tools/transfer.py': 'tests/protocols runs every protocol on scenes of its own',
    'python tools/living_table.py': 'tests/living_table runs it on scenes of its own',
    'python tools/benchmarks/startup.py': 'minutes of timing; tests/tools starts trainings',
}
SAMPLE = {'data/imagenet/train': 'data/scenes/unlabeled', '000468': '000000'}
SAMPLE |= {'my_photos/one.jpg': 'data/scenes/val/images/000000.jpg'}
SAMPLE |= {'my_photos': 'data/scenes/val/images', 'scans/**/*.tif': 'data/scenes/val/images/*.jpg'}
SHORTER = {"preset='small-96', epochs=400": "preset='tiny-32', epochs=1"}
NOTEBOOK = ROOT / 'notebooks/first_steps.ipynb'


def is_console(block) -> bool:
    lines = block.page.read_text(encoding='utf-8').splitlines()
    return lines[block.line - 2].strip() == '```console'


def is_left_out(block) -> bool:
    if block.page.name in LEFT_OUT:
        return True
    starts = [' '.join(words[:2]) for words in commands(block)]
    return all(start in LEFT_OUT for start in starts)


RUN = [b for page in PAGES for b in blocks(page) if not is_console(b) and not is_left_out(b)]
PYTHON = [(page, code) for page in PAGES for code in python_blocks(page)]


@pytest.fixture(scope='module')
def sandbox(tmp_path_factory):
    made = Sandbox(tmp_path_factory.mktemp('pages'))
    made.warm_up()
    yield made
    made.close()


def filled(block, sandbox) -> str:
    """The block with something in place of what a reader fills in."""
    task = next((name for name in stand_ins.TASKS if name in block.page.as_posix()[-40:]), None)
    task = 'classification' if block.page.name == 'tables.md' else task
    config = stand_ins.TASKS.get(task, stand_ins.MAE)
    words = dict(CONFIG=config, TRANSFER=config, OPTIONS='randomness.seed=1', DIR='data/scenes/val')
    text = block.text
    if re.search(r'MY_RUN|FILE|ENCODER\.pth|--pretrained CHECKPOINT', text):
        encoder = sandbox.train(stand_ins.MAE, 'MY_RUN') / 'encoder.pth'
        words |= {'FILE': encoder, 'ENCODER.pth': encoder}
        text = text.replace('--pretrained CHECKPOINT', f'--pretrained {encoder}')
    if re.search(r'configs/(beit|cae)/(beit|cae)_', text):
        sandbox.train(stand_ins.TOKENIZER, 'dvae_demo')
    if re.search(r'test\.(py|sh)', text):
        config = stand_ins.TASKS[task or 'classification']
        out = sandbox.train(config, f'tested_{task}')
        words['CHECKPOINT'] = sorted(out.glob('*_[0-9]*.pth'))[-1]
        text = re.sub(r'(test\.py )CONFIG', rf'\1{config}', text)
    if 'work_dirs/api' in text and not (sandbox.folder / 'work_dirs/api').exists():
        run_python(python_blocks(ROOT / 'docs/python_api.md')[0], sandbox)
    for word, value in SAMPLE.items():
        text = text.replace(word, value)
    pattern = '|'.join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    text = re.sub(rf'(?<![\w/.-])({pattern})(?![\w/.-])', lambda m: str(words[m[1]]), text)
    return '\n'.join(
        line for line in text.splitlines() if not any(line.startswith(start) for start in LEFT_OUT)
    )


def run_python(code: str, sandbox) -> None:
    for word, value in (SAMPLE | SHORTER).items():
        code = code.replace(word, value)
    sandbox.must('python', '-c', code)


@pytest.mark.long
@pytest.mark.parametrize('block', RUN, ids=lambda block: block.id)
def test_shell_block_runs(block, sandbox):
    sandbox.must('bash', '-euo', 'pipefail', '-c', filled(block, sandbox))


@pytest.mark.long
@pytest.mark.parametrize('page, code', PYTHON, ids=lambda part: getattr(part, 'name', 'code'))
def test_python_block_runs(page, code, sandbox):
    run_python(code, sandbox)


@pytest.mark.long
def test_cells_of_the_notebook_run(sandbox, tmp_path):
    small = f'Settings(seed=0, counts={dict(unlabeled=128, train=256, tune=64, val=64)})'
    code = '\n'.join(cells()).replace('Settings(seed=0)', small)
    sandbox.must('python', '-c', code.replace('config=', 'batch_size=32, config='))


def cells() -> list[str]:
    notebook = json.loads(NOTEBOOK.read_text(encoding='utf-8'))
    return [''.join(c['source']) for c in notebook['cells'] if c['cell_type'] == 'code']


def test_python_blocks_and_cells_parse():
    assert len(PYTHON) >= 4 and len(cells()) >= 5
    for code in [code for _, code in PYTHON] + cells():
        ast.parse(code)


def test_what_is_left_out_is_on_a_page_and_tested_elsewhere():
    starts = {' '.join(w[:2]) for p in PAGES for b in blocks(p) for w in commands(b)}
    for what, why in LEFT_OUT.items():
        assert what in starts or (ROOT / what).is_file(), what
        for path in re.findall(r'tests/[\w./]*\w', why):
            assert (ROOT / path).exists(), path
    assert len(RUN) > 30


def test_full_size_becomes_small_and_the_words_stay():
    full = 'configs/cae/cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'
    words = stand_ins.small(['torchrun.py', '32', 'tools/train.py', full, '--seed', '3'])
    assert words[1] == '1' and words[3].startswith('configs/demo/cae_') and '--seed' in words
    assert words[words.index('--epochs') + 1] == stand_ins.EPOCHS
    assert stand_ins.behind_options(['--nodes=2', '-p', 'gpu', 'x.sh', 'y']) == ['x.sh', 'y']
