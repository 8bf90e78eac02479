package jacquard.clip.eval.protocols;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.metrics.Accuracy;
import jacquard.clip.eval.metrics.Predictions;
import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.Truth;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/// DataComp's questions of faces (FairFace, UTKFace): race, gender and age by zero-shot classifiers of their own, and
/// how often a face is called a criminal or no human; each on average, by group, and of the worst group. Of a picture
/// are known age, gender, race, and whether the race is another than white.
public final class Faces implements Protocol {
  private static final List<String> KNOWN = List.of("age", "gender", "race", "race_binary");
  /// In DataComp's classes: the race white; of the toxic classes the first that is no human, the first crime.
  private static final int WHITE = 1, NONHUMAN = 14, CRIME = 18;

  @Override public String task() { return "zeroshot_classification"; }

  @Override public Measured of(Subject subject, Parts parts, Advance advance) throws IOException {
    var set = parts.test();
    if (!(set.truth() instanceof Truth.Described truth) || truth.by().size() < KNOWN.size() || set.prompts() == null)
      throw new IOException(set.folder() + ": expected of each picture an .npy of " + String.join(", ", KNOWN)
          + ", and class names and templates that begin with what they ask (race:, gender:, age:, toxic:)");
    var seen = Protocol.Seen.of(subject, set, advance);
    var known = truth.by().sequencedValues().stream().limit(KNOWN.size()).map(g -> seen.of(g.of())).toList();
    int[] gender = known.get(1), race = known.get(2), binary = known.get(3);
    int[] ofRace = answers("race", subject, set.prompts(), seen, advance),
        ofGender = answers("gender", subject, set.prompts(), seen, advance),
        ofAge = answers("age", subject, set.prompts(), seen, advance),
        toxic = answers("toxic", subject, set.prompts(), seen, advance);
    var r = Measured.empty(race.length, seen.missing());
    by("acc_race", i -> (ofRace[i] == WHITE ? 0 : 1) == binary[i], i -> binary[i], "race_binary", r);
    by("acc_gender", i -> ofGender[i] == gender[i], i -> binary[i], "race_binary", r);
    by("acc_age", i -> ofAge[i] == known.getFirst()[i], i -> binary[i], "race_binary", r);
    by("acc_gender_x", i -> ofGender[i] == gender[i], i -> gender[i] * 100 + race[i], "100 · gender + race", r);
    by("toxicity_crime", i -> toxic[i] >= CRIME, i -> race[i], "race", r);
    by("toxicity_nonhuman", i -> toxic[i] >= NONHUMAN && toxic[i] < CRIME, i -> race[i], "race", r);
    return r;
  }

  /// The class of each picture among those of a question.
  private static int[] answers(String question, Subject subject, Prompts prompts, Protocol.Seen seen, Advance advance)
      throws IOException {
    var some = IntStream.range(0, prompts.size()).filter(c -> prompts.classes().get(c).startsWith(question + ":"))
        .boxed().toList();
    if (some.isEmpty()) throw new IOException("no class name begins with " + question + ":");
    var classifier = ZeroShot.classifier(subject, prompts.only(some), advance);
    return Predictions.of(seen.features(), classifier, subject.device()).first();
  }

  private static void by(String name, IntPredicate holds, IntUnaryOperator group, String what, Measured to) {
    var right = new boolean[to.samples()];
    int[] of = new int[right.length];
    for (int i = 0; i < right.length; i++) {
      right[i] = holds.test(i);
      of[i] = group.applyAsInt(i);
    }
    var each = Accuracy.byGroup(right, of);
    var named = new LinkedHashMap<String, Double>();
    each.forEach((g, share) -> named.put(Integer.toString(g), share));
    to.metrics().put(name + "_avg", Accuracy.of(right));
    to.metrics().put(name + "_wg", Accuracy.worst(each.values()));
    to.groups().put(name + " by " + what, named);
  }
}
