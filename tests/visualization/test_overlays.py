import numpy as np

from mmmim.visualization import overlays


def square(size=16, start=4, stop=12):
    mask = np.zeros((size, size), bool)
    mask[start:stop, start:stop] = True
    return mask


def test_outline_is_the_edge_of_the_mask():
    edge = overlays.outline(square(), thickness=1)
    assert edge.sum() == 8 * 8 - 6 * 6
    assert not edge[6:10, 6:10].any() and edge[4, 4:12].all()
    assert overlays.outline(np.ones((6, 6), bool), 1).sum() == 20  # the image border is an edge


def test_instances_change_pixels_inside_the_mask_only():
    picture, mask = np.full((96, 96, 3), 100, np.uint8), square(96, 40, 80)
    drawn = overlays.draw_instances(picture, mask[None], [1], ['a', 'b'], [0.5], factor=1)
    plain = overlays.draw_instances(picture, np.zeros((0, 96, 96), bool), [], ['a'], factor=1)
    assert (plain == 100).all()
    assert tuple(drawn[79, 40]) == overlays.colour(1)
    assert not (drawn[mask] == 100).all(-1).any()
    assert (drawn[80:] == 100).all() and (drawn[:, :40] == 100).all()  # the name goes above
    assert overlays.draw_instances(picture, mask[None], [0], ['a']).shape == (384, 384, 3)


def test_empty_mask_gets_no_name():
    picture = np.full((16, 16, 3), 100, np.uint8)
    drawn = overlays.draw_instances(picture, np.zeros((1, 16, 16), bool), [0], ['a'], factor=2)
    assert (drawn == 100).all()


def test_label_map_leaves_the_background_and_shares_colours_with_instances():
    picture = np.full((16, 16, 3), 100, np.uint8)
    drawn = overlays.draw_labels(picture, square() * 3, factor=1)
    assert (drawn[0] == 100).all()
    assert tuple(drawn[4, 4]) == overlays.colour(2)  # class 3 with background is shape 2
    whole = overlays.draw_labels(picture, square() * 3, background=None, factor=1)
    assert tuple(whole[0, 0]) == overlays.colour(0) and tuple(whole[4, 4]) == overlays.colour(3)


def test_colours_differ():
    assert len({overlays.colour(label) for label in range(16)}) == 16
    assert overlays.colour(16) == overlays.colour(0)
    assert overlays.hex_colour(0) == '#e69f00'
