"""Features of a frozen encoder on the splits of a classification config, computed once."""

import copy
import logging

import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import Tensor

from mmmim.engine.encoder_file import FORMAT
from mmmim.registry import MODELS
from mmmim.transfer import load_pretrained, read_checkpoint

FEATURES = ('mean', 'cls')
SPLITS = dict(train='train_dataloader', tune='val_dataloader', val='test_dataloader')


def build_encoder(settings: dict, path=None, seed: int = 0):
    """The backbone as it was pre-trained, in evaluation mode.

    Args:
        settings: Its config; what concerns outputs and freezing is replaced.
        path: Checkpoint of any layout that ``pretrained=`` takes, or None for random weights.
        seed: Of the random weights.

    Raises:
        ValueError: If the backbone does not give single tokens, or the file does not fit.
    """
    settings = dict(settings, out_type='raw', out_indices=-1, pretrained=None, frozen_stages=-1)
    settings['in_channels'] = 3  # an encoder of grey images is inflated
    torch.manual_seed(seed)
    try:
        backbone = MODELS.build(settings)
    except TypeError as error:
        raise ValueError(
            f'{settings.get("type")} has no tokens to pool: frozen features are for plain vision '
            'transformers.'
        ) from error
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)  # mmengine lists every parameter that it initialises
    backbone.init_weights()
    logger.setLevel(level)
    if path is not None:
        load_pretrained(backbone, path)
    return backbone.eval()


def encoder_settings(path) -> dict | None:
    """The backbone config that an ``encoder.pth`` carries, None for other checkpoints."""
    content = read_checkpoint(path)
    meta = content.get('meta') if isinstance(content, dict) else None
    if not isinstance(meta, dict) or meta.get('format') != FORMAT:
        return None
    return meta.get('backbone')


@torch.no_grad()
def pooled(backbone, images: Tensor, feature: str) -> Tensor:
    """One feature per image, after the encoder's final norm if it was pre-trained with one.

    Args:
        images: (N, C, H, W), normalised.
        feature: 'mean' of the patch tokens, or the class token 'cls'.

    Returns:
        (N, D) float32.

    Raises:
        ValueError: For another feature, or 'cls' without a class token.
    """
    if feature not in FEATURES:
        raise ValueError(f'feature must be one of {FEATURES}, got {feature!r}.')
    if feature == 'cls' and not backbone.num_prefix:
        raise ValueError("feature 'cls' needs an encoder with a class token: take 'mean'.")
    tokens = backbone(images)[-1]  # (N, P + L, D)
    return (tokens[:, 0] if feature == 'cls' else tokens[:, backbone.num_prefix :].mean(1)).float()


def split_loader(cfg, split: str):
    """Images of a split in order, without augmentation.

    Args:
        cfg: Classification config: trained on ``train_dataloader``, chosen on ``val_dataloader``
            (tune), reported on ``test_dataloader`` (val).
        split: 'train', 'tune' or 'val'.

    Raises:
        ValueError: If the config has no such split.
    """
    missing = [key for key in ('val_dataloader', SPLITS[split]) if not cfg.get(key)]
    if missing:
        raise ValueError(
            f'{cfg.filename or "the config"} has no {missing[0]}: give a config of classification.'
        )
    loader = copy.deepcopy(cfg.val_dataloader)
    loader.dataset = copy.deepcopy(cfg[SPLITS[split]].dataset)
    loader.dataset.pipeline = copy.deepcopy(cfg.val_dataloader.dataset.pipeline)
    return Runner.build_dataloader(loader)


def extract_features(cfg, backbone, feature: str, splits=tuple(SPLITS)) -> dict:
    """Split -> (features (N, D) float32, labels (N,) int64), on the CPU.

    The encoder works where its parameters are. A config without a test split of its own (ImageNet)
    is read once for both.
    """
    device = next(backbone.parameters()).device
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    preprocessor = dict(cfg.model.get('data_preprocessor') or cfg.data_preprocessor)
    preprocessor = MODELS.build(dict(dict(type='mmpretrain.ClsDataPreprocessor'), **preprocessor))
    preprocessor = preprocessor.to(device)
    found = {}
    for split in splits:
        if split == 'val' and 'tune' in found and cfg.test_dataloader == cfg.val_dataloader:
            found['val'] = found['tune']
            continue
        features, labels = [], []
        for batch in split_loader(cfg, split):
            batch = preprocessor(batch)
            features.append(pooled(backbone, batch['inputs'], feature).cpu())
            labels += [int(sample.gt_label) for sample in batch['data_samples']]
        found[split] = torch.cat(features), torch.tensor(labels)
    return found
