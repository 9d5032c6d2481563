"""UperNet on ADE20K from BEiT's ViT-L after intermediate fine-tuning on labels: lr 2e-5, layer
decay 0.95, drop path 0.2.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

microsoft/unilm, beit/semantic_segmentation, its `_pt2ft` config. Number: not in our copy.
"""

_base_ = ['./upernet-beit_vit-large-p16_8xb2-amp-160k_ade20k-512x512.py']

model = dict(backbone=dict(drop_path_rate=0.2))

optim_wrapper = dict(optimizer=dict(lr=2e-5))
