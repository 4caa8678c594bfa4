"""The inspector's page of slices: the slider, the strip of the threshold, and a picture a volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt

from PCLLib import inspector_texts as texts
from PCLLib.inspected import Inspected
from PCLLib.inspector import Inspector, Tile
from PCLLib.pixmaps import pixmap_of
from PCLLib.position_report import PlacedVolume
from PCLLib.position_strip import draw_strip
from PCLLib.signals import Signal
from PCLLib.thumbnails import TILE

_STEPS = 1000
_LINES = 5
_GAP = 4
# What is in sight is shown at once, so that the slider stays fluid; the rest soon afterwards, so many pictures at a time.
_AT_ONCE = 48
_SOON_MS = 15


class SlicesPage:
    """Binds the widgets of the page.

    Signals:
        wanted: a volume that is to be opened, and the number of its slice.

    Args:
        ui: the widgets by their names.
        inspector: what is shown.
        inspected: the module's volumes.
    """

    def __init__(self, ui: Any, inspector: Inspector, inspected: Inspected) -> None:
        self.wanted = Signal[[PlacedVolume, int]]()
        self._ui, self._inspector, self._inspected = ui, inspector, inspected
        self._tiles: tuple[Tile, ...] = ()
        self._items: list[Any] = []
        self._filling = False
        self._waiting: list[int] = []
        self._soon = qt.QTimer()
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._show_some)
        ui.tileList.setSelectionMode(qt.QAbstractItemView.NoSelection)
        ui.positionSlider.valueChanged.connect(self._slid)
        ui.tileList.itemClicked.connect(self._clicked)
        ui.tileList.itemDoubleClicked.connect(self._double_clicked)
        ui.letGoButton.clicked.connect(lambda *_arguments: inspector.let_go())

    def renew(self) -> None:
        """There is another report, or none."""
        ui = self._ui
        ui.tileList.clear()
        self._items = []
        ui.tileList.setIconSize(qt.QSize(TILE, TILE))
        for _volume in self._inspector.volumes:
            item = qt.QListWidgetItem()
            item.setTextAlignment(qt.Qt.AlignHCenter)
            ui.tileList.addItem(item)
            self._items.append(item)
        self.show()

    def show(self) -> None:
        """Shows the slices at the position."""
        ui, inspector = self._ui, self._inspector
        if inspector.report is None or inspector.pictures is None:
            self._tiles = ()
            self._soon.stop()
            return
        self._filling = True
        ui.positionSlider.setValue(round(inspector.position * _STEPS))
        self._filling = False
        ui.positionLabel.setText(f"{inspector.position:.2f}")
        ui.stripLabel.setPixmap(pixmap_of(draw_strip(inspector)))
        ui.legendLabel.setText(texts.legend(inspector))
        chosen = inspector.chosen
        volume = inspector.volume(chosen.volume) if chosen is not None else None
        ui.comparedLabel.setText(texts.compared(inspector, "" if volume is None else self._inspected.name_of(volume)))
        ui.letGoButton.setVisible(volume is not None)
        self._show_tiles(inspector.tiles())

    def _show_tiles(self, tiles: tuple[Tile, ...]) -> None:
        self._tiles = tiles
        width, height = self._cell()
        self._resize(width, height)
        seen = self._in_sight(width, height)
        self._waiting = [number for number in range(len(tiles)) if number not in seen]
        self._fill(list(seen))
        self._soon.start()

    def _resize(self, width: int, height: int) -> None:
        size = self._ui.tileList.gridSize
        if (size.width(), size.height()) != (width, height):
            self._ui.tileList.setGridSize(qt.QSize(width, height))
        for item in self._items:
            item.setSizeHint(qt.QSize(width, height))

    def _cell(self) -> tuple[int, int]:
        """Width and height of a picture with its caption, in the font that is used."""
        metrics = self._ui.tileList.fontMetrics()
        text = max(metrics.boundingRect(words).width() for words in (texts.LONGEST, "S -0000.0 mm"))
        return max(TILE, text + 2 * _GAP) + _GAP, TILE + _LINES * metrics.lineSpacing() + 4 * _GAP

    def _in_sight(self, width: int, height: int) -> range:
        """The tiles in sight, and a row more on either side."""
        shown, port = self._ui.tileList, self._ui.tileList.viewport()
        columns = max(1, port.width // width)
        item = shown.itemAt(qt.QPoint(width // 2, height // 2))
        first = shown.row(item) if item is not None else 0
        last = first + (port.height // height + 2) * columns
        return range(max(0, first - 2 * columns), min(len(self._tiles), last))

    def _show_some(self) -> None:
        """Shows the next of the tiles that wait."""
        some, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
        self._fill(some)
        if self._waiting:
            self._soon.start()

    def _fill(self, numbers: Sequence[int]) -> None:
        pictures = self._inspector.pictures
        if pictures is None or not numbers:
            return
        metrics = self._ui.tileList.fontMetrics()
        room = self._ui.tileList.gridSize.width() - 3 * _GAP
        tiles = [self._tiles[number] for number in numbers]
        rows = [tile.volume.first_row + tile.number for tile in tiles]
        mosaic = pixmap_of(pictures.mosaic(rows, [tile.frame for tile in tiles]))
        for place, (number, tile) in enumerate(zip(numbers, tiles, strict=True)):
            item = self._items[number]
            name, caption = self._inspected.name_of(tile.volume), texts.caption(tile)
            item.setIcon(qt.QIcon(mosaic.copy(0, place * TILE, TILE, TILE)))
            item.setText(f"{metrics.elidedText(name, qt.Qt.ElideMiddle, room)}\n{caption}")
            item.setToolTip(f"{name}\n{caption}\n{tile.volume.path}")

    def _slid(self, value: int) -> None:
        if not self._filling:
            self._inspector.move(value / _STEPS)

    def _clicked(self, item: Any) -> None:
        tile = self._tile_of(item)
        if tile is not None:
            self._inspector.choose(tile.volume, tile.number)

    def _double_clicked(self, item: Any) -> None:
        tile = self._tile_of(item)
        if tile is not None:
            self.wanted.emit(tile.volume, tile.number)

    def _tile_of(self, item: Any) -> Tile | None:
        row = self._ui.tileList.row(item)
        return self._tiles[row] if 0 <= row < len(self._tiles) else None
