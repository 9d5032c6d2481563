"""UperNet on ADE20K from MAE's ViT-B: lr 8e-5, layer decay 0.8, drop path 0.1, 160k iterations of
16 images.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The values are the MAE authors' in long_seq_mae, issue 1. Theirs adds relative position biases;
this has the pre-trained sin-cos table alone, interpolated and frozen. Paper's number for MAE, 1600
epochs: not in our copy.
"""

_base_ = [
    '../_base_/models/upernet_vit-base.py',
    '../_base_/datasets/ade20k_512.py',
    '../_base_/schedules/adamw_polylr_seg.py',
    '../_base_/default_runtime_iter.py',
]

optim_wrapper = dict(type='mmmim.AmpOptimWrapper')
