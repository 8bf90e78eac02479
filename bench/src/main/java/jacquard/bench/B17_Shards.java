package jacquard.bench;

import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Worker;
import jacquard.clip.data.Framing;
import jacquard.clip.data.Preparation;
import jacquard.clip.data.shards.Fields;
import jacquard.clip.data.shards.Shards;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.text.ClipTokenizer;
import jacquard.tensor.Random;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Two tar shards of 512 JPEGs of 256 pixels and 22 kB each, with captions: to batches of 64 pictures of 224×224 and
/// their tokens, beside webdataset with Pillow, OpenCLIP's transform and tokenizer in as many worker processes as we
/// have threads; and the samples' bytes alone, beside webdataset in one process.
///
/// What you should see: pictures ahead of the peer where libjpeg-turbo is installed, and bytes several times as fast,
/// since the index says where they lie.
@State(Scope.Benchmark)
public class B17_Shards implements Work.Case {
  private static final String PICTURES = "to 224×224 and tokens", BYTES = "bytes";
  private static final int SHARDS = 2, EACH = 512, BATCH = 64;
  @Param({PICTURES, BYTES}) public String what;

  private Contest contest;

  @Override public Work work() {
    return new Work("shards " + what, Work.Unit.EACH, SHARDS * EACH, "webdataset", what.equals(PICTURES) ? 1.2 : 2);
  }

  @Override public boolean on(int threads) { return threads == (what.equals(PICTURES) ? 2 : 1); }

  @Setup public void open() throws Exception {
    var files = Samples.shards(SHARDS, EACH).stream().map(Path::toString).toList();
    var shards = Shards.open("shards", List.of(new Shards.From(files, 1)), Fields.DEFAULT);
    var preparation = new Preparation(new Framing.Whole(new Transform(PreprocessConfig.ofSize(224)),
        Augmentation.DEFAULT),
        ClipTokenizer.clip(), 77, Random.of(1));
    var peer = Worker.openClip(null, null, null);
    contest = what.equals(PICTURES) ? Contest.of(() -> {
      for (long from = 0; from < shards.size(); from += BATCH)
        counted(preparation.batch(0, LongStream.range(from, from + BATCH).toArray(), shards::pair).count(), BATCH);
    }, peer.lane("shards " + String.join(" ", files))) : Contest.of(() -> {
      long n = 0;
      for (long i = 0; i < shards.size(); i++) n += shards.file(i).length + shards.caption(i, Random.of(1)).length();
      counted(n > shards.size() ? 1 : 0, 1);
    }, peer.lane("tars " + String.join(" ", files)));
  }

  private static void counted(long found, long expected) {
    if (found != expected) throw new IllegalStateException(found + " samples, expected " + expected);
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
