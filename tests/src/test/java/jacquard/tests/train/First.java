package jacquard.tests.train;

import jacquard.clip.data.source.Source;
import jacquard.clip.image.Picture;
import java.io.IOException;

/// The first few pairs of another source.
record First(Source source, int size) implements Source {
  @Override public String name() { return "the first " + size + " of " + source.name(); }
  @Override public String caption(int index) { return source.caption(index); }
  @Override public Picture picture(int index) throws IOException { return source.picture(index); }
}
