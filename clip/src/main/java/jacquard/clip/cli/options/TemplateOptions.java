package jacquard.clip.cli.options;

import jacquard.clip.eval.Templates;
import java.util.List;
import picocli.CommandLine.Option;

/// Sentences around labels.
public final class TemplateOptions {
  @Option(names = "--template", paramLabel = "TEXT", description = {"A sentence with {} for the label, or a set: "
      + "openai_imagenet (OpenCLIP's 80 for ImageNet), simple_imagenet (7 of them). May be repeated; the features of a "
      + "label's sentences are averaged and normalised. Default: the label alone."}) List<String> texts = List.of();

  public Templates templates() { return texts.isEmpty() ? Templates.NONE : Templates.of(texts); }
}
