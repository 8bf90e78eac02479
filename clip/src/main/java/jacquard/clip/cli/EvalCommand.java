package jacquard.clip.cli;

import jacquard.clip.cli.options.ModelOptions;
import jacquard.clip.cli.options.TemplateOptions;
import jacquard.clip.cli.options.data.DataOptions;
import jacquard.clip.cli.suite.SuiteEvaluation;
import jacquard.clip.cli.suite.SuiteOptions;
import jacquard.clip.data.source.Source;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.report.log.Progress;
import jacquard.clip.settings.Count;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "eval", mixinStandardHelpOptions = true, sortOptions = false,
    customSynopsis = "jacquard eval MODEL [OPTION]…")
final class EvalCommand implements Callable<Integer> {
  @Option(names = "--val-data", defaultValue = "emoji-heldout", paramLabel = "DATA",
      description = {"emoji-heldout (a family of artists that emoji leaves out), emoji-concepts-heldout (192 concepts "
      + "that emoji-concepts leaves out), "
      + "emoji-concepts-heldout-all (the same among all names), a table or a folder; may be given more than once "
          + "(default: ${DEFAULT-VALUE})."}) List<String> valData;
  @Mixin ModelOptions model;
  @Mixin DataOptions data;
  @Mixin TemplateOptions templates;
  @Mixin SuiteOptions suites;

  @Override public Integer call() throws IOException {
    if (suites.list) {
      new SuiteEvaluation(model, suites).list();
      return 0;
    }
    if (suites.export != null) return new SuiteEvaluation(model, suites).export();
    if (suites.asked()) return new SuiteEvaluation(model, suites).call();
    var sentences = templates.templates();
    boolean unsound = false;
    var files = model.files();
    var sources = new ArrayList<Source>();                                       // a wrong one is said before the work
    for (var name : valData) sources.add(data.source(name));
    try (var clip = model.load(files)) {
      for (var source : sources) {
        Evaluation e;
        try (var progress = Progress.of("eval", Evaluation.inputs(source)).unit("inputs")
            .open()) { e = Evaluation.of(clip.embedder(), source, sentences, progress::advance); }
        System.out.printf("%s: %s, %s (chance %.2f %%)%s%n", source.name(), Count.of(e.labels().length, "image"),
            Count.of(e.names().size(), "name"), 100 * e.chance(), e.missing() == 0 ? "" : "; " + Count.of(e.missing(),
            "picture") + " could not be read and " + (e.missing() == 1 ? "was" : "were") + " left out");
        e.metrics().forEach((k, v) -> System.out.printf("  %-20s %5.1f %%%n", k, 100 * v));
        if (e.nonFinite() > 0) {
          System.err.printf("jacquard: the features of %,d of %,d pictures and names are not finite; the model's "
              + "weights may hold NaN%n", e.nonFinite(), e.labels().length + e.names().size());
          unsound = true;
        }
      }
    }
    return unsound ? 1 : 0;
  }
}
