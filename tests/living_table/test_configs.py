import pytest
from mmengine.config import Config, ConfigDict

from mmmim.living_table.configs import (
    Length,
    Unavailable,
    backbone_words,
    count_samples,
    find_config,
    load_config,
    moved_paths,
)


def training(batch=128, epochs=30, schedulers=()):
    return Config(
        dict(
            train_dataloader=dict(batch_size=batch, drop_last=True),
            train_cfg=dict(max_epochs=epochs),
            param_scheduler=list(schedulers),
        )
    )


WARM_UP = dict(type='LinearLR', begin=0, end=2, convert_to_iter_based=True)
COSINE = dict(type='CosineAnnealingLR', begin=2, convert_to_iter_based=True)


@pytest.mark.parametrize(
    'batch, images, epochs',
    [(128, 300_000, 30), (128, 100_000, 10), (64, 100_000, 10), (128, 1, 1)],
)
def test_epochs_show_the_images_that_were_asked_for(batch, images, epochs):
    length = Length(training(batch), 10_000, images)
    assert length.epochs == epochs
    assert length.images == epochs * (10_000 // batch) * batch
    if images > 10_000:
        assert abs(length.images - images) <= 10_000 / 2


def test_borders_of_schedules_move_with_the_length():
    by_steps = dict(type='LinearLR', by_epoch=False, begin=0, end=100)
    cfg = training(schedulers=(WARM_UP, COSINE, by_steps))
    assert Length(cfg, 10_000, 150_000).overrides(cfg) == [
        'train_cfg.max_epochs=15', 'param_scheduler.0.end=1', 'param_scheduler.1.begin=1'
    ]  # fmt: skip


def test_epochs_inside_the_model_move_too():
    cfg = training()
    cfg.model = dict(a=dict(loss=dict(warmup_epochs=3, other=3)), list=[1])
    words = Length(cfg, 10_000, 100_000).overrides(cfg)
    assert words == ['train_cfg.max_epochs=10', 'model.a.loss.warmup_epochs=1']


def test_warm_up_keeps_a_step_however_short_the_run():
    cfg = training(schedulers=(WARM_UP,))
    words = Length(cfg, 256, 256).overrides(cfg)
    end = float(words[1].split('=')[1])
    assert words[0] == 'train_cfg.max_epochs=1' and int(end * 2) == 1


def test_lengths_that_cannot_be_told_are_reasons():
    with pytest.raises(Unavailable, match='fewer than a batch'):
        Length(training(), 100, 1000)
    with pytest.raises(Unavailable, match='not in epochs'):
        Length(training(epochs=None), 1000, 1000)


def test_moved_paths_reach_every_corner_and_merge_back(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(
        "root = 'data/scenes/'\n"
        'train_dataloader = dict(dataset=dict(data_root=root, other="data/scenes2/a"))\n'
        'test_evaluator = [dict(type="A"), dict(type="B", ann_file=root + "a.json")]\n'
    )
    words = moved_paths(load_config(path), {'data/scenes': '/tmp/x'})
    # The variable `root` itself is no key of a run: tools/train.py would refuse it.
    assert words == [
        'train_dataloader.dataset.data_root=/tmp/x/', 'test_evaluator.1.ann_file=/tmp/x/a.json'
    ]  # fmt: skip
    cfg = load_config(path, words)
    assert cfg.test_evaluator[1].ann_file == '/tmp/x/a.json'
    assert cfg.train_dataloader.dataset.other == 'data/scenes2/a'
    assert moved_paths(load_config(path), {'data/scenes': 'data/scenes'}) == []


def test_backbone_follows_the_pretraining_except_for_what_transfer_decides():
    arch = dict(embed_dims=8)
    transfer = ConfigDict(type='V', arch=arch, img_size=64, patch_size=8, pos_embed='learned')
    mine = ConfigDict(
        type='B', arch=arch, img_size=64, patch_size=8, pos_embed='sincos', out_type='raw',
        masked='replace', rel_pos='shared', in_channels=1, layer_scale_init_value=0.1,
    )  # fmt: skip
    words = ['model.backbone.type=B', 'model.backbone.rel_pos=shared',
             'model.backbone.layer_scale_init_value=0.1']  # fmt: skip
    assert backbone_words(mine, transfer) == words
    learned = ConfigDict(mine, pos_embed='learned')
    assert backbone_words(learned, transfer) == words
    table = 'model.backbone.pos_embed='
    assert backbone_words(ConfigDict(mine, pos_embed='none'), transfer)[-1] == table + 'none'
    # A recipe that names no table takes the one that was pre-trained.
    del transfer['pos_embed']
    assert backbone_words(mine, transfer)[-1] == table + 'sincos'
    del mine['pos_embed']
    mine.type = 'mmmim.MaskedBEiT'
    assert backbone_words(mine, transfer)[-1] == table + 'none'
    with pytest.raises(Unavailable, match='patch_size 16'):
        backbone_words(ConfigDict(mine, patch_size=16), transfer)


def test_configs_are_found_by_the_start_of_their_name(tmp_path):
    folder = tmp_path / 'configs/demo'
    folder.mkdir(parents=True)
    for name in ('mae_vit-demo', 'mae-strong_vit-demo', 'two_a', 'two_b'):
        (folder / f'{name}_1xb1_scenes-64px.py').touch()
    assert find_config(tmp_path, 'mae').name.startswith('mae_vit')
    with pytest.raises(Unavailable, match='no configs cae_'):
        find_config(tmp_path, 'cae')
    with pytest.raises(Unavailable, match='2 configs two_'):
        find_config(tmp_path, 'two')


def test_samples_of_both_kinds_of_data_sets(tmp_path):
    (tmp_path / 'list.txt').write_text('a.jpg 0\nb.jpg 1\n\n')
    dataset = ConfigDict(type='CustomDataset', data_root=str(tmp_path), ann_file='list.txt')
    assert count_samples(dataset) == 2
    for index in range(3):
        (tmp_path / f'{index}.jpg').touch()
    assert count_samples(ConfigDict(type='mmmim.ImageFolder', data_root=str(tmp_path))) == 3
    few = dict(type='mmmim.ImageSubset', data_root=str(tmp_path), num_images=1, epoch_length=7)
    assert count_samples(ConfigDict(few)) == 7
    with pytest.raises(Unavailable, match='cannot count'):
        count_samples(ConfigDict(type='CocoDataset'))


def test_a_config_that_cannot_be_read_is_a_reason(tmp_path):
    path = tmp_path / 'broken.py'
    path.write_text('raise ValueError("half-written")')
    with pytest.raises(Unavailable, match='broken.py: ValueError: half-written'):
        load_config(path)
