"""UperNet on ADE20K from BEiT's ViT-B after intermediate fine-tuning on labels: lr 3e-5, layer
decay 0.9.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

microsoft/unilm, beit/semantic_segmentation, its `_pt2ft` config. Number: not in our copy.
"""

_base_ = ['./upernet-beit_vit-base-p16_8xb2-amp-160k_ade20k-512x512.py']

optim_wrapper = dict(optimizer=dict(lr=3e-5), paramwise_cfg=dict(layer_decay_rate=0.9))
