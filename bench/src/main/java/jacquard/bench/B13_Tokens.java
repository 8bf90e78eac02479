package jacquard.bench;

import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Worker;
import jacquard.clip.text.hub.HubTokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Captions to ids by a `tokenizer.json`, beside the `tokenizers` library (Rust) on one thread; small vocabularies, so
/// that words have many pieces. Ids must be equal first.
///
/// What you should see: ahead of the library, most where words repeat: both remember a word's ids, but the library
/// keeps track of where each piece lies in the text. To gemma a short caption is one word, which is remembered as a
/// whole: that row measures the memory, and no merges.
@State(Scope.Benchmark)
public class B13_Tokens implements Work.Case {
  private static final int COUNT = 1000;
  private static final Path FOLDER = Path.of("tests/src/main/resources/fixtures/tokenizers");
  /// WordPiece, BPE on bytes, BPE on characters and the whole caption, Unigram.
  @Param({"bert", "roberta", "gemma", "siglip"}) public String kind;

  private Contest contest;

  @Override public Work work() { return new Work("tokens " + kind, Work.Unit.EACH, COUNT, "tokenizers", 1); }

  @Setup public void open() throws Exception {
    var tokenizer = HubTokenizer.of(FOLDER.resolve(kind), Map.of());
    var captions = List.of(Samples.captions(COUNT));
    var work = " " + FOLDER.resolve(kind) + " " + Samples.lines(captions);
    var worker = Worker.openClip(null, null, null);
    int[] ids = captions.stream().flatMapToInt(c -> Arrays.stream(tokenizer.raw(c))).toArray();
    float[] theirs = worker.features("ids" + work);
    if (theirs.length != ids.length)
      throw new IllegalStateException(kind + ": " + ids.length + " ids, but tokenizers has " + theirs.length);
    for (int i = 0; i < ids.length; i++)
      if (ids[i] != theirs[i])
        throw new IllegalStateException(kind + ": the id " + i + " is " + ids[i] + ", but in tokenizers " + theirs[i]);
    var sink = new int[1];
    contest = Contest.of(() -> {
      for (var c : captions) sink[0] += tokenizer.raw(c).length;
    }, worker.lane("tokens" + work));
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
