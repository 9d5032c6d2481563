"""Names of the same parameters in other projects, written out for parity tests.

The loader of mmmim.transfer has its own maps; these are independent of them.
"""

import re

import torch

BLOCK = (
    ('norm1', 'ln1'),
    ('norm2', 'ln2'),
    ('mlp.fc1', 'ffn.layers.0.0'),
    ('mlp.fc2', 'ffn.layers.1'),
    ('attn.qkv', 'attn.qkv'),
    ('attn.proj', 'attn.proj'),
)
VITMAE_BLOCK = (
    ('layernorm_before', 'ln1'),
    ('layernorm_after', 'ln2'),
    ('intermediate.dense', 'ffn.layers.0.0'),
    ('attention.output.dense', 'attn.proj'),
    ('output.dense', 'ffn.layers.1'),
    ('attention.attention', 'attn'),
)
VITMAE = (
    ('vit.embeddings.cls_token', 'backbone.cls_token'),
    ('vit.embeddings.position_embeddings', 'backbone.pos_embed'),
    ('vit.embeddings.patch_embeddings', 'backbone.patch_embed'),
    ('vit.encoder.layer', 'backbone.layers'),
    ('vit.layernorm', 'backbone.ln1'),
    ('decoder.decoder_layers', 'neck.decoder_blocks'),
    ('decoder.decoder_norm', 'neck.ln1'),
    ('decoder.', 'neck.'),
)


def rename(name, pairs):
    """Apply the first pair whose left side begins the name, or lies within it for blocks."""
    for old, new in pairs:
        if old in name:
            return name.replace(old, new, 1)
    return name


def from_vitmae(tensors: dict) -> dict:
    """Tensors (values or gradients) of transformers' ViTMAEForPreTraining under our names.

    Query, key and value are joined in this order.
    """
    ours = {}
    for name, value in tensors.items():
        name = rename(name, VITMAE)
        if re.search(r'(layers|decoder_blocks)\.\d+\.', name):
            name = rename(name, VITMAE_BLOCK)
        ours[name] = value
    for name in [name for name in ours if '.attn.query.' in name]:
        parts = [ours.pop(name.replace('query', part)) for part in ('query', 'key', 'value')]
        ours[name.replace('query', 'qkv')] = None if parts[0] is None else torch.cat(parts)
    return ours


def from_timm(tensors: dict) -> dict:
    """Tensors of a timm VisionTransformer under our names, without its classifier."""
    ours = {}
    for name, value in tensors.items():
        if name.startswith('blocks.'):
            name = rename(name.replace('blocks.', 'layers.', 1), BLOCK)
        name = name.replace('patch_embed.proj.', 'patch_embed.projection.')
        name = re.sub(r'^norm\.', 'ln1.', name)
        name = re.sub(r'^fc_norm\.', 'ln2.', name)
        ours[name] = value
    return ours
