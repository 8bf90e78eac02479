package jacquard.clip.hub;

import java.util.List;
import java.util.SequencedMap;

/// The `README.md` of a model on a hub: front matter that the hub sorts by, and a page for people, in the order of
/// OpenCLIP's.
///
/// @param name the model's
/// @param about sentences on what it is
/// @param licence as the hub names licences (`mit`, `apache-2.0`, …); "" for none said
/// @param base the model that it was tuned from, on the hub; "" for none
/// @param datasets ids of data on the hub
/// @param details of model and training by name
/// @param data what it was trained on, a line a source, with the licence
/// @param metrics of the run by name, as they are to be read
/// @param usage how it is loaded: code by its language
public record ModelCard(String name, String about, String licence, String base, List<String> datasets,
    SequencedMap<String, String> details, List<String> data, SequencedMap<String, String> metrics,
    SequencedMap<String, String> usage) {
  /// The page.
  public String markdown() {
    var r = new StringBuilder("---\ntags:\n- clip\nlibrary_name: open_clip\n"
        + "pipeline_tag: zero-shot-image-classification\n");
    if (!licence.isEmpty()) r.append("license: ").append(quoted(licence)).append('\n');
    if (!base.isEmpty()) r.append("base_model: ").append(quoted(base)).append('\n');
    if (!datasets.isEmpty()) {
      r.append("datasets:\n");
      for (var d : datasets) r.append("- ").append(quoted(d)).append('\n');
    }
    r.append("---\n# Model card for ").append(line(name)).append("\n\n").append(about).append("\n\n## Model Details\n");
    details.forEach((k, v) -> r.append("- **").append(k).append(":** ").append(line(v)).append('\n'));
    if (!data.isEmpty()) {
      r.append("\n## Training Data\n");
      for (var d : data) r.append("- ").append(line(d)).append('\n');
    }
    if (!metrics.isEmpty()) {
      r.append("\n## Metrics\n| metric | value |\n| --- | --- |\n");
      metrics.forEach((k, v) -> r.append("| ").append(cell(k)).append(" | ").append(cell(v)).append(" |\n"));
    }
    r.append("\n## Model Usage\n");
    usage.forEach((language, code) ->
        r.append("```").append(language).append('\n').append(code.strip()).append("\n```\n"));
    return r.toString();
  }

  /// A text of YAML between double quotes, in which nothing means anything else.
  private static String quoted(String s) {
    return '"' + s.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\p{Cntrl}", " ") + '"';
  }

  private static String line(String s) { return s.replaceAll("\\p{Cntrl}", " ").strip(); }

  private static String cell(String s) { return line(s).replace("|", "\\|"); }
}
