"""Hugging Face transformers: ViT, ViTMAE, DeiT and BEiT keep query, key and value apart."""

import re

import torch

from ..layouts import Layout, State

_PART = re.compile(
    r'^(encoder\.layer\.\d+\.)attention\.attention\.(query|key|value)\.(weight|bias)$'
)


def join_qkv(state: State) -> State:
    """Rows [0:D], [D:2D], [2D:3D] of the joint projection are query, key and value.

    BEiT's keys have no bias: those of query and value stay apart.
    """
    joined, parts = {}, {}
    for name, value in state.items():
        match = _PART.match(name)
        if match is None:
            joined[name] = value
            continue
        layer, part, kind = match.groups()
        parts.setdefault(f'{layer}attn.qkv.{kind}', {})[part] = value
    for name, three in parts.items():
        if name.endswith('.bias') and set(three) == {'query', 'value'}:
            stem = name.removesuffix('qkv.bias')
            joined[f'{stem}q_bias'], joined[f'{stem}v_bias'] = three['query'], three['value']
            continue
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

_BEIT = (
    (r'^encoder\.relative_position_bias\.', 'rel_pos_bias.'),
    (r'^(encoder\.layer\.\d+)\.attention\.attention\.relative_position_bias\.', r'\1.attn.'),
    (r'^(encoder\.layer\.\d+)\.lambda_([12])$', r'\1.gamma_\2'),
    (r'^pooler\.layernorm\.', 'ln2.'),
)

HUGGING_FACE = Layout(
    name='Hugging Face',
    marks=(
        'embeddings.patch_embeddings.projection.weight',
        'encoder.layer.0.layernorm_before.weight',
    ),
    prefixes=('vit.', '', 'deit.', 'beit.'),
    rename=(*_BEIT, *TO_MMPRETRAIN),
    drop=(r'embeddings\.mask_token$', r'embeddings\.distillation_token$', r'pooler\.'),
    keep=(r'pooler\.layernorm\.',),  # BEiT's norm after pooling
    rebuild=join_qkv,
)
