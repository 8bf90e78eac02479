package jacquard.clip.image.decode.tiff;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Mode;

/// What Pillow cannot read though the fields look sound, or reads by two rules (by name one way, from a stream
/// another): such files are refused by name, since any pixels would be other pixels to somebody.
final class TiffDoubts {
  private TiffDoubts() {}

  /// How the samples lie; `packed` means by any method, `alone` that one strip or tile holds the whole picture.
  record Layout(Mode mode, int photometric, int bits, int samples, int extra, boolean lowFirst, boolean packed,
      boolean planar, boolean tiled, boolean reversed, boolean alone, int palette) {
    boolean turnedWhereItLies(int orientation, int width, int height) {
      boolean mapped = switch (mode) {
        case GREY, PALETTE -> bits == 8 && samples == 1 && photometric != 0;
        case RGBA, CMYK -> bits == 8 && samples == 4;
        case GREY16 -> bits == 16;
        default -> false;
      };
      return mapped && alone && !packed && !reversed && orientation >= 5 && orientation <= 8 && width != height;
    }

    /// Why Pillow does not read it; null where it does.
    String unread() {
      if (packed) {
        if (photometric == 6 && samples == 1) return "luma alone that is packed";
        if (!lowFirst && (mode == Mode.INT32 || mode == Mode.FLOAT32))
          return "packed numbers with the high byte first, whose bytes Pillow turns twice";
        if (mode == Mode.PALETTE && palette != 3 << bits)
          return "a palette of " + palette + " numbers for packed indices of " + bits + " bits";
        if (planar && mode == Mode.GREY_ALPHA) return "packed planes of grey and opacity";
        if (planar && mode == Mode.RGBA && (samples > 4 || extra == 0)) return "packed planes whose opacity is unsaid";
        return null;
      }
      if (planar && samples == 1 && (bits != 8 && !(bits == 1 && photometric == 1) || photometric == 0 || reversed))
        return "one separate plane of " + bits + " bits";
      boolean unsaid = tiled && mode == Mode.RGBA && extra == 0;
      if (planar && samples > 1 && (reversed || mode == Mode.PALETTE || samples > 4 || unsaid))
        return "separate planes of " + samples + " samples";
      if (reversed && (photometric == 0 && bits == 8 || photometric == 3 && bits < 8))
        return "the low bit first in samples of " + bits + " bits";
      return null;
    }
  }

  static void check(Layout layout, TiffTags tags, int width, int height) throws ImageException {
    String unread = layout.unread();
    if (unread != null) throw tags.refusal("a TIFF of %s, which Pillow does not read either", unread);
    int orientation = tags.number(TiffTags.ORIENTATION, 1);
    if (layout.turnedWhereItLies(orientation, width, height))
      throw tags.refusal("an unpacked TIFF of %s in one piece with orientation %d, which Pillow reads in two ways: by "
          + "its name with the rows of the turned picture, from a stream with its own; save it turned",
          layout.mode, orientation);
  }
}
