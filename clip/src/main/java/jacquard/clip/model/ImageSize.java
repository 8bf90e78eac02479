package jacquard.clip.model;

import jacquard.clip.settings.Settings;
import jacquard.tensor.Grid;
import java.util.List;

/// Height and width in pixels; JSON has one number for a square, else `[height, width]`.
public record ImageSize(int height, int width) implements Settings.Form {
  public static ImageSize of(Object json) {
    if (json instanceof Integer side && side > 0) return new ImageSize(side, side);
    if (json instanceof List<?> list && list.size() == 2 && list.get(0) instanceof Integer h
        && list.get(1) instanceof Integer w
        && h > 0 && w > 0)
      return new ImageSize(h, w);
    throw new IllegalArgumentException("expected a side in pixels or [height, width]");
  }

  @Override public Object json() { return height == width ? (Object) height : List.of(height, width); }

  public boolean square() { return height == width; }

  public Grid grid() { return new Grid(height, width); }
}
