package jacquard.clip.cli.options.data;

import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.data.Framing;
import jacquard.clip.data.Preparation;
import jacquard.clip.data.source.ChosenCaptions;
import jacquard.clip.data.source.Source;
import jacquard.clip.image.Pixels;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.report.ContactSheet;
import jacquard.clip.report.Gallery;
import jacquard.clip.settings.Count;
import jacquard.clip.text.ClipTokenizer;
import jacquard.tensor.Random;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// A picture of what training would see: some pairs as they lie, and as several steps change them.
public final class SheetOptions {
  private static final int STEPS = 6, CONTEXT = 77, MOST = 500;

  @Option(names = "--show", paramLabel = "N",
      description = "Writes a contact sheet of N pairs: as they lie, and as the first steps of a training with the "
          + "options below would see them.")
  public int count;
  @Option(names = "--sheet", paramLabel = "FILE", description = "Where it goes (default: ${DEFAULT-VALUE}).")
  Path file = Path.of("augmented.png");
  @Option(names = "--sheet-size", paramLabel = "PIXELS",
      description = "The side of the model's pictures (default: ${DEFAULT-VALUE}).")
  int side = 128;
  @Option(names = "--seed", paramLabel = "N", description = "That of the training (default: ${DEFAULT-VALUE}).")
  long seed = 0;
  @Mixin ImageOptions images;
  @Mixin CaptionOptions captions;

  /// Writes the sheet.
  public void write(Source of) throws IOException {
    if (count < 1 || count > MOST)
      throw new IllegalArgumentException("--show " + count + ", expected 1 to " + MOST);
    if (side < 8 || side > 2048)
      throw new IllegalArgumentException("--sheet-size " + side + ", expected 8 to 2048");
    var source = captions.choice ? ChosenCaptions.of(of) : of;
    var transform = new Transform(images.over(PreprocessConfig.ofSize(side)));
    var framing = new Framing.Whole(transform, images.augmentation(transform.config()));
    var preparation = new Preparation(framing, captions.augmentation(), ClipTokenizer.clip(), CONTEXT,
        Random.of(seed).fold("data"));
    int n = Math.min(count, source.size());
    long[] at = IntStream.range(0, n).mapToLong(i -> (long) source.size() * i / n).toArray();
    var rows = new ArrayList<List<ContactSheet.Shot>>();
    for (int i = 0; i < n; i++) {
      var row = new ArrayList<ContactSheet.Shot>();
      try { row.add(shot(transform.pixels(source.picture((int) at[i])), source.caption((int) at[i]))); }
      catch (IOException e) {
        System.err.println("left out: " + e.getMessage());
        continue;
      }
      for (int step = 0; step < STEPS; step++) {
        var batch = preparation.batch(step, new long[] {at[i]}, (number, draw) ->
            new Preparation.Pair(source.picture((int) number), source.caption((int) number, draw)));
        if (batch.count() == 1)
          row.add(shot(transform.image(batch.pictures().rows(), side, side), words(batch.captions().tokens()[0])));
      }
      rows.add(row);
    }
    var headings = new ArrayList<>(List.of("as it lies"));
    for (int step = 0; step < STEPS; step++) headings.add("step " + step);
    AtomicFile.write(file, new ContactSheet(source.name(), headings, rows).png());
    System.out.printf("%s in %s%n", Count.of(rows.size(), "pair"), file);
  }

  private static ContactSheet.Shot shot(Pixels p, String text) {
    return new ContactSheet.Shot(Gallery.Shot.of(p.rgb(), p.width(), p.height(), "", 0, true).image(), text);
  }

  /// The text between the marks.
  private static String words(int[] ids) {
    int end = IntStream.range(0, ids.length).filter(i -> ids[i] == ClipTokenizer.END).findFirst().orElse(ids.length);
    return ClipTokenizer.clip().decode(java.util.Arrays.copyOfRange(ids, 1, end)).strip();
  }
}
