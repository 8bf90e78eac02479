package jacquard.clip.photos;

import jacquard.clip.Clip;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Ranking;
import jacquard.clip.image.Interpolation;
import jacquard.clip.image.Picture;
import jacquard.clip.image.PreprocessConfig.ResizeMode;
import jacquard.clip.image.Transform;
import jacquard.clip.report.Figure;
import jacquard.clip.report.Gallery;
import jacquard.clip.report.HtmlReport;
import jacquard.clip.report.HtmlReport.Answer;
import jacquard.clip.report.log.Progress;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/// The page of the demonstration.
public final class PhotosPage {
  private static final int SHOWN = 5, CAPTIONS = 16, FIRST = 6;
  private final HtmlReport page = HtmlReport.titled("Real photographs, real words").lead("A classifier of photographs "
      + "and an encoder of sentences, joined to a CLIP by one matrix in closed form. Neither was trained with the "
      + "other, and no picture was needed to join them.");

  private PhotosPage() {}

  public static PhotosPage begun() { return new PhotosPage(); }

  /// The sentences of some classes.
  public static List<String> sentences(List<String> classes) {
    return classes.stream().map(PhotoModel::sentence).toList();
  }

  /// Asks which sentence fits each picture, and shows the answers; a paragraph of text a picture.
  public List<String> asked(Clip clip, List<Path> files, List<Picture> pictures, List<String> sentences) {
    float[][] texts = clip.embed(sentences.toArray(String[]::new));
    float[][] images = clip.embed(pictures.toArray(Picture[]::new));
    float[][] p = clip.classify(images, texts), cosines = Ranking.scores(images, texts, clip.embedder().device());
    var answers = new ArrayList<Answer>();
    var said = new ArrayList<String>();
    for (int i = 0; i < pictures.size(); i++) {
      int[] best = best(p[i], SHOWN);
      var guesses = new LinkedHashMap<String, Double>();
      var text = new StringBuilder(files.get(i).getFileName().toString());
      for (int j : best) {
        guesses.put(sentences.get(j), (double) p[i][j]);
        text.append("%n  %6.2f %%  cosine %7.4f  %s".formatted(100 * p[i][j], cosines[i][j], sentences.get(j)));
      }
      answers.add(new Answer(image(pictures.get(i)), files.get(i).getFileName().toString(), guesses));
      said.add(text.toString());
    }
    page.heading("Which of " + sentences.size() + " sentences fits best?").answers(answers);
    return said;
  }

  /// Looks for the caption of each picture among all captions, and for the pictures of each caption among all.
  public String found(Clip clip, List<Photos.Stamp> stamps) throws IOException {
    var captions = stamps.stream().map(Photos.Stamp::caption).distinct().sorted().toList();
    var device = clip.embedder().device();
    float[][] texts = clip.embed(captions.toArray(String[]::new));
    // the squares are seen whole, where photographs lose their rim
    var whole = new Transform(clip.embedder().transform().config().resized(Interpolation.BICUBIC, ResizeMode.SQUASH));
    float[][] images;
    try (var progress = Progress.of("Tux Paint", stamps.size()).unit("pictures").open()) {
      images = new Embedder(clip.model(), whole, 64).images(stamps.size(), i -> stamps.get(i).picture(),
          progress::advance);
    }
    Ranking.Match right = (i, j) -> stamps.get(i).caption().equals(captions.get(j));
    var ranking = Ranking.of(images, texts, 10, device);
    var figures = new ArrayList<Figure>();
    for (int k : new int[] {1, 5, 10})
      figures.add(new Figure("caption of a photograph among the first " + k, ranking.rowRecall(right, k),
          OptionalDouble.of((double) k / captions.size()), true, ""));
    page.heading("Tux Paint: %d photographs, %d captions".formatted(stamps.size(), captions.size())).tiles(figures);
    page.gallery(new Gallery("The photographs that fit a caption best", rows(stamps, captions,
        Ranking.scores(texts, images, device))));
    return "Tux Paint: %d photographs, %d captions: the right caption first %.1f %%, among 5 %.1f %%, among 10 %.1f %%"
        .formatted(stamps.size(), captions.size(), 100 * figures.get(0).value(), 100 * figures.get(1).value(),
            100 * figures.get(2).value());
  }

  /// Captions at equal distances, not chosen.
  private static List<Gallery.Row> rows(List<Photos.Stamp> stamps, List<String> captions, float[][] cosines)
      throws IOException {
    var rows = new ArrayList<Gallery.Row>();
    for (int i = 0; i < CAPTIONS; i++) {
      int at = (int) ((long) i * captions.size() / CAPTIONS);
      var shots = new ArrayList<Gallery.Shot>();
      for (int j : best(cosines[at], FIRST)) {
        var stamp = stamps.get(j);
        shots.add(new Gallery.Shot(image(stamp.picture()), stamp.caption(), cosines[at][j],
            stamp.caption().equals(captions.get(at))));
      }
      rows.add(new Gallery.Row(captions.get(at), shots, List.of()));
    }
    return rows;
  }

  private static int[] best(float[] scores, int n) {
    return IntStream.range(0, scores.length).boxed().sorted(Comparator.comparingDouble(j -> -scores[j])).limit(n)
        .mapToInt(j -> j).toArray();
  }

  private static BufferedImage image(Picture picture) {
    var p = picture.pixels();
    return Gallery.Shot.of(p.rgb(), p.width(), p.height(), "", 0, true).image();
  }

  /// Ends the page with where everything came from.
  public void write(Path file, Path model, Packages packages) throws IOException {
    var sources = new LinkedHashMap<String, String>();
    sources.put("model", model.toString());
    for (var p : List.of(Photos.CLASSIFIER, Photos.SENTENCES, Photos.PICTURES, Photos.STAMPS))
      if (packages.missing(List.of(p)).isEmpty()) sources.put(p.name() + " " + p.version(), p.holds());
    page.heading("Where it comes from").table(sources).write(file);
  }
}
