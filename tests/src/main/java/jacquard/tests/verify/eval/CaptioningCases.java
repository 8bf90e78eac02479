package jacquard.tests.verify.eval;

import com.fasterxml.jackson.databind.JsonNode;
import jacquard.clip.eval.captioning.Bleu;
import jacquard.clip.eval.captioning.Captioned;
import jacquard.clip.eval.captioning.Cider;
import jacquard.clip.eval.captioning.PennTreebank;
import jacquard.clip.eval.captioning.RougeL;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Scores of written captions, and the words that they count.
final class CaptioningCases {
  private CaptioningCases() {}

  static void scores(EvaluationCase c) {
    var all = IntStream.range(0, c.expected().get("candidates").size()).mapToObj(i -> {
      var key = Integer.toString(i);
      return Captioned.of(c.expected().get("candidates").get(key).asText(),
          texts(c.expected().get("references").get(key)));
    }).toList();
    double[] bleu = Bleu.corpus(all);
    for (int n = 1; n <= 4; n++) c.check("Bleu_" + n, bleu[n - 1], 1e-12);
    each(c, "Bleu_4_each", all, x -> Bleu.of(x)[3]);
    each(c, "ROUGE_L_each", all, RougeL::of);
    c.check("ROUGE_L", all.stream().mapToDouble(RougeL::of).average().orElse(Double.NaN), 1e-12);
    double[] cider = Cider.each(all);
    c.check("CIDEr", Arrays.stream(cider).average().orElse(Double.NaN), 1e-12);
    c.report().check("evaluation/captioning CIDEr_each", difference(cider, c.expected().get("CIDEr_each")), 1e-12);
  }

  private static void each(EvaluationCase c, String name, List<Captioned> all, Function<Captioned, Double> score) {
    c.report().check("evaluation/captioning " + name,
        difference(all.stream().mapToDouble(score::apply).toArray(), c.expected().get(name)), 1e-12);
  }

  private static double difference(double[] ours, JsonNode theirs) {
    if (ours.length != theirs.size()) return Double.NaN;
    double r = 0;
    for (int i = 0; i < ours.length; i++) {
      double d = Math.abs(ours[i] - theirs.get(i).asDouble());
      r = d <= r ? r : d;
    }
    return r;
  }

  private static List<String> texts(JsonNode array) { return Stream.iterate(0, i -> i < array.size(), i -> i + 1)
      .map(i -> array.get(i).asText()).toList(); }

  static void words(EvaluationCase c) {
    List<String> raw = texts(c.expected().get("raw")), theirs = texts(c.expected().get("tokenized"));
    for (int i = 0; i < raw.size(); i++) {
      var ours = PennTreebank.words(raw.get(i));
      c.report().check("evaluation/ptb " + raw.get(i).replace('\n', ' '), ours.equals(theirs.get(i)),
          "\"" + ours + "\", expected \"" + theirs.get(i) + "\"");
    }
  }
}
