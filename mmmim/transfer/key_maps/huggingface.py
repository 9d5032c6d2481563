"""Hugging Face transformers: ViT, ViTMAE and DeiT keep query, key and value apart."""

import re

import torch

from ..layouts import Layout, State

_PART = re.compile(
    r'^(encoder\.layer\.\d+\.)attention\.attention\.(query|key|value)\.(weight|bias)$'
)


def join_qkv(state: State) -> State:
    """Rows [0:D], [D:2D], [2D:3D] of the joint projection are query, key and value."""
    joined, parts = {}, {}
    for name, value in state.items():
        match = _PART.match(name)
        if match is None:
            joined[name] = value
            continue
        layer, part, kind = match.groups()
        parts.setdefault(f'{layer}attn.qkv.{kind}', {})[part] = value
    for name, three in parts.items():
        if len(three) < 3:
            raise ValueError(f'{name} needs query, key and value, the file holds {sorted(three)}.')
        joined[name] = torch.cat([three['query'], three['key'], three['value']])
    return joined


TO_MMPRETRAIN = (
    (r'^embeddings\.patch_embeddings\.projection\.', 'patch_embed.projection.'),
    (r'^embeddings\.position_embeddings$', 'pos_embed'),
    (r'^embeddings\.cls_token$', 'cls_token'),
    (r'^layernorm\.', 'ln1.'),
    (r'^encoder\.layer\.', 'layers.'),
    (r'^(layers\.\d+)\.attention\.output\.dense\.', r'\1.attn.proj.'),
    (r'^(layers\.\d+)\.intermediate\.dense\.', r'\1.ffn.layers.0.0.'),
    (r'^(layers\.\d+)\.output\.dense\.', r'\1.ffn.layers.1.'),
    (r'^(layers\.\d+)\.layernorm_before\.', r'\1.ln1.'),
    (r'^(layers\.\d+)\.layernorm_after\.', r'\1.ln2.'),
)

HUGGING_FACE = Layout(
    name='Hugging Face',
    marks=(
        'embeddings.patch_embeddings.projection.weight',
        'encoder.layer.0.layernorm_before.weight',
    ),
    prefixes=('vit.', '', 'deit.'),
    rename=TO_MMPRETRAIN,
    drop=(r'embeddings\.mask_token$', r'embeddings\.distillation_token$', r'pooler\.'),
    rebuild=join_qkv,
)
