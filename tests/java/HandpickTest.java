import dev.handpick.Check;
import dev.handpick.Columns;
import dev.handpick.Feature;
import dev.handpick.FeatureType;
import dev.handpick.Filter;
import dev.handpick.HandpickException;
import dev.handpick.Item;
import dev.handpick.Model;
import dev.handpick.ModelInfo;
import dev.handpick.OpenOptions;
import dev.handpick.Output;
import dev.handpick.Overlay;
import dev.handpick.PublicKey;
import dev.handpick.Ranked;
import dev.handpick.RecallInfo;
import dev.handpick.RecallOptions;
import dev.handpick.RecallReport;
import dev.handpick.Recalled;
import dev.handpick.Recommended;
import dev.handpick.Rows;
import dev.handpick.Session;
import dev.handpick.SessionOptions;
import dev.handpick.Side;
import dev.handpick.Status;
import dev.handpick.Store;
import dev.handpick.Task;
import dev.handpick.Updates;
import dev.handpick.UserVector;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The Java classes say what the C API says, bit for bit, and never crash.
 *
 * <pre>HandpickTest movielens.f32.hpk request.jsonl ranked.jsonl recommended.jsonl string_ids.hpk signed.hpk key.txt delta</pre>
 *
 * The second is a request, the next two what {@code handpick rank} and {@code handpick recommend --user recent --k
 * 200} print for it. Then comes a recall index whose items are called item-0 to item-99; the first bundle, signed; the
 * public key's digits; and the delta from the first bundle to the signed one.
 */
public final class HandpickTest {
  private static String bundle;
  private static Map<String, Object> request;
  private static Map<String, Object> ranked;
  private static Map<String, Object> recommended;
  private static String stringBundle;
  private static File signed;
  private static PublicKey key;
  private static File delta;

  public static void main(String[] args) throws Exception {
    bundle = args[0];
    request = Json.object(read(args[1]));
    ranked = Json.object(read(args[2]));
    recommended = Json.object(read(args[3]));
    stringBundle = args[4];
    signed = new File(args[5]);
    key = PublicKey.parse(read(args[6]).trim());
    delta = new File(args[7]);
    int passed = 0;
    int failed = 0;
    for (Method method : HandpickTest.class.getDeclaredMethods()) {
      if (!method.getName().startsWith("test")) continue;
      try {
        method.invoke(null);
        ++passed;
      } catch (InvocationTargetException e) {
        System.out.println("FAILED " + method.getName());
        e.getCause().printStackTrace(System.out);
        ++failed;
      }
    }
    System.out.println(passed + " passed, " + failed + " failed");
    if (failed > 0 || passed < 30) System.exit(1);
  }

  // ---- What the command says ----

  private static void testRanksAsTheCommandDoes() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      session.setContext(context(model));
      session.appendEvents(history(model));
      List<Ranked> best = session.rank(candidates(model), 10);
      List<Map<String, Object>> expected = list(ranked, "ranked");
      equal(expected.size(), best.size());
      for (int i = 0; i < best.size(); ++i) {
        equal(expected.get(i).get("index"), "" + best.get(i).getIndex());
        sameBits(expected.get(i).get("score"), best.get(i).getScore());
        sameBits(expected.get(i).get("logit"), best.get(i).getLogit());
      }
    }
  }

  private static void testRecommendsAsTheCommandDoes() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      start(model, session);
      expectRecommended(session.recommend(recall(), 10));
    }
  }

  private static void testRecommendsAsTheCommandDoesAfterEveryTap() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      session.setContext(context(model));
      Rows all = history(model);
      Feature movie = model.feature(Side.HISTORY, "movie_id");
      Feature genre = model.feature(Side.HISTORY, "genre");
      Map<String, Object> events = object(request, "history");
      Rows event = new Rows();
      for (int i = 0; i < all.getRowCount(); ++i) {
        event.clear().add().set(movie, ids(events, "movie_id")[i]).set(genre, strings(events, "genre")[i]);
        session.appendEvents(event);
        session.recommend(recall(), 10);
      }
      expectRecommended(session.recommend(recall(), 10));
    }
  }

  private static void testRecallFindsWhatIsRecommended() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      start(model, session);
      Set<Long> ids = new HashSet<>();
      float last = Float.POSITIVE_INFINITY;
      for (Recalled item : session.recall(recall())) {
        ids.add(item.getId());
        check(item.getScore() <= last, "best first");
        check(!item.isInOverlay() && item.getNumber() >= 0, "an item of the index");
        last = item.getScore();
      }
      equal(200, ids.size());
      for (Recommended film : session.recommend(recall(), 10)) check(ids.contains(film.getId()), "recalled");
      RecallReport report = session.getRecallReport();
      equal(RecallReport.Outcome.FOUND, report.getOutcome());
      equal(true, report.isExact());
      equal(1713L, report.getRowsScanned());
    }
  }

  private static void testGoldensHold() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      check(session.checkGoldens() < 1e-5f, "goldens");
      model.check();
    }
  }

  // ---- Values ----

  private static void testEveryWayToGiveCandidatesGivesTheSameBits() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      start(model, session);
      Feature movie = model.feature(Side.CANDIDATE, "movie_id");
      long[] ids = ids(object(request, "candidates"), "movie_id");
      float[] expected = session.score(new Columns(ids.length).set(movie, ids));

      LongBuffer direct = ByteBuffer.allocateDirect(8 * ids.length + 8).order(ByteOrder.nativeOrder()).asLongBuffer();
      direct.put(-1L).put(ids);
      direct.position(1);
      equalBits(expected, session.score(new Columns(ids.length).set(movie, direct)));
      equalBits(expected, session.score(new Columns(ids.length).set(movie, direct.asReadOnlyBuffer())));
      LongBuffer heap = LongBuffer.allocate(ids.length + 1);
      heap.put(-1L).put(ids);
      heap.position(1);
      equalBits(expected, session.score(new Columns(ids.length).set(movie, heap.slice())));
      Rows rows = new Rows();
      for (long id : ids) rows.add().set(movie, id);
      equalBits(expected, session.score(rows));

      // In place: what is written to the array afterwards is seen.
      long[] mine = new long[ids.length];
      Columns again = new Columns(ids.length).set(movie, mine);
      System.arraycopy(ids, 0, mine, 0, ids.length);
      equalBits(expected, session.score(again));

      FloatBuffer scores = ByteBuffer.allocateDirect(4 * ids.length).order(ByteOrder.nativeOrder()).asFloatBuffer();
      float[] logits = new float[ids.length + 2];
      FloatBuffer into = FloatBuffer.wrap(logits);
      into.position(2);
      session.score(again, scores, into);
      float[] read = new float[ids.length];
      scores.get(read);
      equalBits(expected, read);
      equal(2, into.position());
      for (int i = 0; i < ids.length; ++i) {
        check(Math.abs(1 / (1 + Math.exp(-logits[i + 2])) - expected[i]) < 1e-6, "logit of " + i);
      }
      equalBits(expected, session.score(again, model.getOutputs().get(0)));
      List<Ranked> best = session.rank(again, ids.length + 5, model.getOutputs().get(0));
      equal(ids.length, best.size());
      for (Ranked one : best) equal(Float.floatToIntBits(expected[one.getIndex()]), Float.floatToIntBits(one.getScore()));
    }
  }

  /** The features that the catalog would have, given by hand: multi-valued strings and numbers among them. */
  private static void testAllKindsOfColumns() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      start(model, session);
      Feature movie = model.feature(Side.CANDIDATE, "movie_id");
      Feature genre = model.feature(Side.CANDIDATE, "genre");
      Feature genres = model.feature(Side.CANDIDATE, "genres");
      Feature year = model.feature(Side.CANDIDATE, "year");
      float[] expected = session.score(new Columns(3).set(movie, new long[] {260, 1, 3}));
      Rows rows = new Rows();
      rows.add().set(movie, 260).set(genre, "Sci-Fi").set(year, 1977)
          .set(genres, new String[] {"Action", "Adventure", "Sci-Fi"});
      rows.add().set(movie, 1).set(genre, "Animation").set(year, 1995f)
          .set(genres, new String[] {"Adventure", "Animation", "Children", "Comedy", "Fantasy"});
      rows.add().set(movie, 3).set(genre, "Romance").set(year, 1995.0).set(genres, new String[] {"Comedy", "Romance"});
      equalBits(expected, session.score(rows));
      Columns columns =
          new Columns(3)
              .set(movie, new long[] {260, 1, 3})
              .set(genre, new String[] {"Sci-Fi", "Animation", "Romance"})
              .set(year, new float[] {1977, 1995, 1995})
              .set(genres,
                  new String[] {"Action", "Adventure", "Sci-Fi", "Adventure", "Animation", "Children", "Comedy",
                    "Fantasy", "Comedy", "Romance"},
                  new int[] {0, 3, 8, 10});
      equalBits(expected, session.score(columns));
      columns.set(year, FloatBuffer.wrap(new float[] {0, 1977, 1995, 1995}, 1, 3));
      equalBits(expected, session.score(columns));
      equal(0, session.rank(new Columns(0), 3).size());
      equal(0, session.rank(columns, 0).size());
    }
  }

  private static void testStringsOfAllLengths() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      Feature genre = model.feature(Side.CONTEXT, "favourite_genre");
      // Unknown ones have a row in the vocabulary.
      for (String text : new String[] {"", "a", "\u20ac", "\ud83c\udfac", new String(new char[70000])}) {
        session.setContext(new Rows().set(genre, text));
      }
      session.setContext(new Rows());
    } catch (HandpickException e) {
      // A context has one row.
      equal(Status.INVALID_ARGUMENT, e.getStatus());
    }
  }

  private static void testWhatAModelTakes() {
    try (Model model = Model.open(new File(bundle))) {
      ModelInfo info = model.getInfo();
      equal("movielens-din", info.getName());
      equal(ModelInfo.Precision.F32, info.getPrecision());
      equal(9742L, info.getCatalogItems());
      equal(1713L, info.getRecallItems());
      equal(new File(bundle).length(), info.getBundleBytes());
      equal(info.getSessionBytes(), model.sessionBytes(new SessionOptions()));
      check(model.sessionBytes(new SessionOptions().setTile(48)) < info.getSessionBytes(), "a smaller tile");
      equal(50, info.getMaxHistory());
      check(info.hasModel(), "a model");
      equal(0L, info.getCopiedBytes());
      equal(info.getFeatureCount(), model.getFeatures().size());
      Feature genres = model.feature(Side.CANDIDATE, "genres");
      equal(FeatureType.MULTI_CATEGORICAL, genres.getType());
      equal(10, genres.getMaxValues());
      check(genres.takesStrings() && !genres.takesIntegers() && !genres.takesNumbers(), "strings");
      equal(20, model.feature(Side.CONTEXT, "genre_taste").getDimension());
      check(model.feature(Side.CANDIDATE, "movie_id").isCatalogKey(), "catalog key");
      equal("history feature 'genre'", model.feature(Side.HISTORY, "genre").toString());
      equal(1, model.getOutputs().size());
      Output output = model.getOutputs().get(0);
      equal(Task.BINARY, output.getTask());
      check(output == model.output(output.getName()), "by name");
      RecallInfo recall = model.getRecallInfo();
      equal(RecallInfo.Metric.COSINE, recall.getMetric());
      equal(64, recall.getDimension());
      check(recall.getCandidateFeature() == model.feature(Side.CANDIDATE, "movie_id"), "candidate feature");
      check(recall.getHistoryFeature() == model.feature(Side.HISTORY, "movie_id"), "history feature");
      check(!recall.hasStringIds() && !recall.hasUserVector(), "integer ids");
      check(Model.getLibraryVersion().matches("\\d+\\.\\d+\\.\\d+"), Model.getLibraryVersion());
    }
  }

  // ---- Ways to open ----

  private static void testOpensFromDescriptor() throws Exception {
    byte[] bytes = Files.readAllBytes(Paths.get(bundle));
    File file = File.createTempFile("handpick", ".apk");
    try (FileOutputStream out = new FileOutputStream(file)) {
      out.write(new byte[4096]);
      out.write(bytes);
      out.write(new byte[100]);
    }
    Model model;
    try (FileInputStream in = new FileInputStream(file)) {
      Field field = java.io.FileDescriptor.class.getDeclaredField("fd");
      field.setAccessible(true);
      int fd = field.getInt(in.getFD());
      model = Model.open(fd, 4096, bytes.length);
      expectStatus(Status.FILE_ERROR, () -> Model.open(fd, bytes.length + 10000L, 10), "");
    }
    check(file.delete(), "deleted");
    equal(0L, model.getInfo().getCopiedBytes());
    expectWorks(model);
    expectStatus(Status.FILE_ERROR, () -> Model.open(-1, 0, -1), "");
  }

  private static void testOpensFromBuffer() throws Exception {
    byte[] bytes = Files.readAllBytes(Paths.get(bundle));
    ByteBuffer memory = ByteBuffer.allocateDirect(bytes.length + 128);
    // A position whose address is a multiple of 64: the one that is not refused.
    Model aligned = null;
    int refused = 0;
    for (int i = 0; i < 64 && aligned == null; ++i) {
      memory.clear();
      memory.position(i);
      memory.put(bytes);
      memory.limit(i + bytes.length).position(i);
      try {
        aligned = Model.open(memory);
      } catch (HandpickException e) {
        equal(Status.MISALIGNED, e.getStatus());
        ++refused;
      }
    }
    check(aligned != null, "one of 64 addresses is a multiple of 64");
    equal(0L, aligned.getInfo().getCopiedBytes());
    int position = memory.position();
    memory = null;
    System.gc();
    expectWorks(aligned);

    ByteBuffer anywhere = ByteBuffer.allocateDirect(bytes.length + 1);
    anywhere.position(1);
    anywhere.put(bytes);
    anywhere.position(1);
    Model copied = Model.open(anywhere, new OpenOptions().setCopy(true));
    anywhere.clear();
    anywhere.put(new byte[bytes.length]);
    equal((long) bytes.length, copied.getInfo().getCopiedBytes());
    expectWorks(copied);
    expectStatus(Status.INVALID_ARGUMENT, () -> Model.open(ByteBuffer.allocate(100)), "direct");
  }

  private static void testOpensACopy() throws Exception {
    File file = File.createTempFile("handpick", ".hpk");
    Files.copy(Paths.get(bundle), file.toPath(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    Model model = Model.open(file, new OpenOptions().setCopy(true));
    try (FileOutputStream out = new FileOutputStream(file)) {
      out.write(1); // Now one byte long.
    }
    expectWorks(model);
    expectStatus(Status.NOT_A_BUNDLE, () -> Model.open(file), "");
    check(file.delete(), "deleted");
  }

  // ---- Bytes, signatures, updates ----

  private static void testChecksInParts() throws Exception {
    long size = new File(bundle).length();
    try (Model model = Model.open(bundle); Check check = model.newCheck()) {
      model.close();
      int calls = 1;
      while (!check.next(100_000)) ++calls;
      equal((size + 99_999) / 100_000, (long) calls);
      check(check.next(0), "again");
      expectStatus(Status.INVALID_ARGUMENT, () -> check.next(-1), "-1");
      check.close();
      check.close();
      check(check.isClosed(), "closed");
      expectIllegalState(() -> check.next(1), "the check is closed");
      expectIllegalState(() -> model.newCheck(), "the model is closed");
    }
    File damaged = damagedCopy(new File(bundle));
    try (Model model = Model.open(damaged); Check check = model.newCheck()) {
      expectStatus(Status.BUNDLE_CORRUPT, model::check, "");
      for (int i = 0; i < 2; ++i) {
        expectStatus(
            Status.BUNDLE_CORRUPT,
            () -> {
              while (!check.next(1 << 16)) {}
            },
            "damaged");
      }
    }
    check(damaged.delete(), "deleted");
  }

  private static void testSignatures() throws Exception {
    PublicKey other = PublicKey.of(new byte[PublicKey.SIZE]);
    OpenOptions options = new OpenOptions().setPublicKeys(other, key);
    OpenOptions wrong = new OpenOptions().setPublicKeys(other);
    try (Model model = Model.open(signed, options); Check check = model.newSignatureCheck(key)) {
      check(model.getInfo().getKeyId() != 0 && model.getInfo().getContentHash() != 0, "a key, and a hash");
      while (!check.next(1 << 18)) {}
      expectStatus(Status.WRONG_SIGNATURE, () -> model.newSignatureCheck(other), "none of the app's");
      expectStatus(Status.INVALID_ARGUMENT, () -> model.newSignatureCheck(), "no public key");
    }
    expectStatus(Status.WRONG_SIGNATURE, () -> Model.open(signed, wrong), "none of the app's");
    expectStatus(Status.NO_SIGNATURE, () -> Model.open(bundle, options), "not signed");
    byte[] bytes = Files.readAllBytes(signed.toPath());
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length);
    buffer.put(bytes).rewind();
    Model.open(buffer, new OpenOptions().setCopy(true).setPublicKeys(key)).close();
    expectStatus(
        Status.WRONG_SIGNATURE, () -> Model.open(buffer, new OpenOptions().setCopy(true).setPublicKeys(other)), "");
    File damaged = damagedCopy(signed);
    expectStatus(Status.WRONG_SIGNATURE, () -> Model.open(damaged, options), "not as it was signed");
    try (Model model = Model.open(damaged); Check check = model.newSignatureCheck(key)) {
      expectStatus(Status.WRONG_SIGNATURE, () -> check.next(0), "not as it was signed");
    }
    check(damaged.delete(), "deleted");
    try (Model model = Model.open(bundle)) {
      equal(0L, model.getInfo().getKeyId());
      expectStatus(Status.NO_SIGNATURE, () -> model.newSignatureCheck(key), "not signed");
    }
    expectStatus(Status.INVALID_ARGUMENT, () -> PublicKey.of(new byte[31]), "31 bytes");
    expectStatus(Status.INVALID_ARGUMENT, () -> PublicKey.parse("12"), "64");
    expectStatus(Status.INVALID_ARGUMENT, () -> PublicKey.parse(new String(new char[64]).replace('\0', '\u0661')), "64");
    expectStatus(Status.INVALID_ARGUMENT, () -> new OpenOptions().setPublicKeys(), "no public key");
  }

  private static void testUpdates() throws Exception {
    File folder = Files.createTempDirectory("handpick").toFile();
    File made = new File(folder, "new.hpk");
    List<Long> told = new ArrayList<>();
    Updates.apply(
        new File(bundle),
        delta,
        made,
        (done, total) -> {
          equal(signed.length(), total);
          told.add(done);
        });
    check(!told.isEmpty() && told.get(told.size() - 1) == signed.length(), "told " + told);
    check(Arrays.equals(Files.readAllBytes(signed.toPath()), Files.readAllBytes(made.toPath())), "the new bundle");
    Updates.verify(made);
    Updates.verify(made, key);
    expectStatus(Status.WRONG_SIGNATURE, () -> Updates.verify(made, PublicKey.of(new byte[32])), "");
    expectStatus(Status.NO_SIGNATURE, () -> Updates.verify(new File(bundle), key), "not signed");
    expectStatus(Status.WRONG_OLD_BUNDLE, () -> Updates.apply(made, delta, made), "another bundle");
    expectStatus(Status.NOT_A_DELTA, () -> Updates.apply(made, made, made), "no delta");
    expectStatus(Status.FILE_ERROR, () -> Updates.apply(new File("/no/such"), delta, made), "/no/such");
    expectStatus(Status.INVALID_ARGUMENT, () -> Updates.verify(new File("a\0b")), "zero");
    // What the app throws comes out, when the update is done.
    expectIllegalState(
        () ->
            Updates.apply(
                new File(bundle),
                delta,
                made,
                (done, total) -> {
                  throw new IllegalStateException("the app's");
                }),
        "the app's");
    Updates.verify(made, key);
    check(made.delete() && folder.delete(), "nothing else is left");
  }

  private static void testStore() throws Exception {
    File folder = Files.createTempDirectory("handpick").toFile();
    File download = new File(folder, "download");
    Store store = new Store(folder);
    check(store.start() == null, "nothing is there");
    expectStatus(Status.NO_BUNDLE, store::confirm, "");
    expectStatus(Status.NO_BUNDLE, store::rollback, "");
    copy(new File(bundle), download);
    expectStatus(Status.NO_SIGNATURE, () -> store.install(download, key), "not signed");
    store.install(download);
    check(!download.exists(), "moved");
    Store.Start first = store.start();
    equal(Store.Outcome.TRIAL, first.getOutcome());
    equal(0L, first.getPrevious());
    store.confirm();
    equal(Store.Outcome.CONFIRMED, store.start().getOutcome());
    expectWorks(Model.open(first.getFile()));
    Updates.apply(first.getFile(), delta, download);
    store.install(download, key);
    Store.Start second = store.start();
    equal(Store.Outcome.TRIAL, second.getOutcome());
    equal(first.getCurrent(), second.getPrevious());
    expectWorks(Model.open(second.getFile(), new OpenOptions().setPublicKeys(key)));
    // The app did not come as far as confirm().
    Store.Start third = store.start();
    equal(Store.Outcome.FELL_BACK, third.getOutcome());
    equal(first.getFile(), third.getFile());
    equal(second.getCurrent(), third.getRejected());
    // By hand.
    copy(signed, download);
    store.install(download, key);
    store.start();
    store.confirm();
    store.rollback();
    equal(first.getFile(), store.start().getFile());
    File state = new File(folder, "state");
    check(state.exists(), "the state");
    Files.write(state.toPath(), new byte[] {1, 2, 3});
    expectStatus(Status.STORE_CORRUPT, store::start, "");
    for (File file : folder.listFiles()) check(file.delete(), "deleted");
    check(folder.delete(), "deleted");
  }

  private static void copy(File from, File to) throws Exception {
    Files.copy(from.toPath(), to.toPath(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  /** With another byte in a table. */
  private static File damagedCopy(File of) throws Exception {
    File file = File.createTempFile("handpick", ".hpk");
    byte[] bytes = Files.readAllBytes(of.toPath());
    bytes[bytes.length / 2] ^= 1;
    Files.write(file.toPath(), bytes);
    return file;
  }

  private static void testRefusesOtherFiles() {
    expectStatus(Status.FILE_ERROR, () -> Model.open("/no/such/f\u00eblm.hpk"), "f\u00eblm.hpk");
    expectStatus(Status.FILE_ERROR, () -> Model.open("/"), "/");
    expectStatus(Status.INVALID_ARGUMENT, () -> Model.open("a\0b"), "zero");
    expectStatus(Status.NOT_A_BUNDLE, () -> Model.open("/proc/self/exe"), "");
  }

  // ---- Errors ----

  private static void testErrorsNameTheFeature() {
    try (Model model = Model.open(bundle); Session session = model.newSession(); Model second = Model.open(bundle)) {
      Feature movie = model.feature(Side.HISTORY, "movie_id");
      Feature genre = model.feature(Side.HISTORY, "genre");
      Feature candidate = model.feature(Side.CANDIDATE, "movie_id");
      Feature genres = model.feature(Side.CANDIDATE, "genres");
      Feature taste = model.feature(Side.CONTEXT, "genre_taste");
      Feature count = model.feature(Side.CONTEXT, "rating_count");
      String name = "history feature 'genre'";
      expectStatus(Status.UNKNOWN_FEATURE, () -> model.feature(Side.HISTORY, "gnere"), "'gnere'; it has [");
      expectStatus(Status.UNKNOWN_OUTPUT, () -> model.output("cvr"), "'cvr'");
      expectStatus(Status.WRONG_TYPE, () -> new Rows().set(genre, 3), name + " takes strings, not integers");
      expectStatus(Status.WRONG_TYPE, () -> new Rows().set(movie, 3.5f), "'movie_id' takes integers, not numbers");
      expectStatus(Status.DUPLICATE_FEATURE, () -> new Rows().set(movie, 3).set(movie, 4), "'movie_id' of row 0");
      expectStatus(Status.UNKNOWN_FEATURE, () -> new Rows().set(movie, 3).set(candidate, 4), "one batch");
      expectStatus(
          Status.MISSING_FEATURE,
          () -> new Rows().add().set(movie, 3).add().set(movie, 4).set(genre, "Drama"), name + " of row 0");
      expectStatus(
          Status.MISSING_FEATURE,
          () -> session.appendEvents(new Rows().add().set(movie, 3).set(genre, "Drama").add().set(movie, 4)),
          name + " of row 1");
      expectStatus(Status.MISSING_FEATURE, () -> session.appendEvents(new Rows().set(movie, 3)), "genre");
      expectStatus(Status.INVALID_ARGUMENT, () -> new Rows().set(taste, new float[19]), "19 values, and takes 20");
      expectStatus(Status.INVALID_ARGUMENT, () -> new Columns(2).set(movie, new long[3]), "3 values for 2 rows");
      expectStatus(Status.INVALID_ARGUMENT, () -> new Columns(2).set(genres, new String[] {"a", "b"}), "splits");
      expectStatus(Status.INVALID_ARGUMENT, () -> new Columns(2).set(genre, new String[2]), name);
      expectStatus(Status.INVALID_ARGUMENT, () -> new Rows().set(genre, (String) null), name);
      Rows mended = new Rows();
      expectStatus(Status.INVALID_ARGUMENT, () -> mended.set(genres, new String[] {"a", null}), "null");
      expectStatus(Status.WRONG_TYPE, () -> mended.set(genres, 3), "genres");
      equal(0, mended.getRowCount());
      equal(1, mended.set(genres, new String[] {"a"}).set(candidate, 1).getRowCount());
      session.score(mended);
      expectStatus(
          Status.INVALID_ARGUMENT,
          () -> new Columns(2).set(genres, new String[] {"Drama"}, new int[] {0, 1, 2}), "'genres'");
      expectStatus(
          Status.INVALID_ARGUMENT,
          () -> session.score(
              new Columns(2).set(candidate, new long[2]).set(genres, new String[] {"a", "b"}, new int[] {0, -1, 2})),
          "genres");
      expectStatus(
          Status.INVALID_ARGUMENT,
          () -> new Columns(1).set(movie, ByteBuffer.allocateDirect(8).order(ByteOrder.BIG_ENDIAN).asLongBuffer()),
          "nativeOrder");
      expectStatus(Status.UNKNOWN_FEATURE, () -> session.setContext(new Rows().set(movie, 3)), "'movie_id'");
      Feature other = second.feature(Side.HISTORY, "movie_id");
      expectStatus(Status.UNKNOWN_FEATURE, () -> session.appendEvents(new Rows().set(other, 3)), "another model");
      expectStatus(Status.NOT_FINITE, () -> session.setContext(new Rows().set(count, Float.NaN)), "rating_count");
      expectStatus(
          Status.TOO_MANY_VALUES, () -> session.score(new Rows().set(candidate, 1).set(genres, new String[] {
              "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"})), "genres");
      expectStatus(Status.INVALID_ARGUMENT, () -> new Columns(-1), "-1");
      expectStatus(Status.INVALID_ARGUMENT, () -> session.rank(new Columns(0), -1), "-1");
      expectStatus(
          Status.INVALID_ARGUMENT,
          () -> session.score(new Columns(2).set(candidate, new long[2]), FloatBuffer.allocate(1), null), "room for 1");
      // And the session is as it was.
      start(model, session);
      expectRecommended(session.recommend(recall(), 10));
    }
  }

  private static void testExceptionsSayWhatTheCApiSays() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      Feature movie = model.feature(Side.CANDIDATE, "movie_id");
      session.score(new Columns(1).set(movie, new long[] {123456789}));
      throw new AssertionError("no exception");
    } catch (HandpickException e) {
      equal(Status.UNKNOWN_ITEM, e.getStatus());
      equal(0x18, e.getCode());
      check(e.getMessage().contains("123456789"), e.getMessage());
      check(e.toString().contains("UNKNOWN_ITEM: "), e.toString());
    }
  }

  // ---- Recall ----

  private static void testFiltersAndExclusions() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      start(model, session);
      Feature genre = model.feature(Side.CANDIDATE, "genre");
      Feature year = model.feature(Side.CANDIDATE, "year");
      Feature movie = model.feature(Side.CANDIDATE, "movie_id");
      List<Recalled> all = session.recall(recall());
      long first = all.get(0).getId();
      List<Recalled> without = session.recall(recall().setExcludedIds(first, 999999999L));
      equal(all.get(1).getId(), without.get(0).getId());

      int dramas = session.recall(recall().setFilters(Filter.anyOf(genre, "Drama"))).size();
      int others = session.recall(recall().setFilters(Filter.noneOf(genre, "Drama"))).size();
      check(dramas > 0 && others > 0, dramas + " dramas, " + others + " others");
      int either = session.recall(recall().setFilters(Filter.anyOf(genre, "Drama", "Comedy"))).size();
      check(either > dramas, either + " are either");
      equal(0, session.recall(recall().setFilters(Filter.anyOf(genre, "Drama"), Filter.noneOf(genre, "Drama"))).size());
      expectStatus(
          Status.UNKNOWN_FEATURE, () -> session.recall(recall().setFilters(Filter.anyOf(movie, 1, 2))), "movie_id");
      // Film 7361 is of 2004.
      check(names(session.recall(recall())).contains(7361L), "recalled");
      check(names(session.recall(recall().setFilters(Filter.range(year, 2004, 2004)))).contains(7361L), "of 2004");
      Set<Long> later = names(session.recall(recall().setFilters(Filter.range(year, 2005, Float.POSITIVE_INFINITY))));
      check(later.size() > 10 && !later.contains(7361L), "later ones");
      equal(0, session.recall(recall().setFilters(Filter.range(year, 2005, 2020), Filter.range(year, 1900, 2004))).size());
      expectStatus(Status.WRONG_TYPE, () -> Filter.range(genre, 1, 2), "'genre' takes strings");
      expectStatus(Status.INVALID_ARGUMENT, () -> session.recall(recall().setK(257)), "257");
      expectStatus(Status.INVALID_ARGUMENT, () -> session.recall(recall().setK(-1)), "-1");
      expectStatus(Status.INVALID_ARGUMENT, () -> session.recall(recall().setExcludedStringIds("a")), "");
      expectStatus(
          Status.INVALID_ARGUMENT,
          () -> session.recall(recall().setExcludedIds(1).setExcludedStringIds("a")), "not by both");
      equal(0, session.recall(recall().setK(0)).size());
    }
  }

  private static Set<Long> names(List<? extends Item> items) {
    Set<Long> names = new HashSet<>();
    for (Item item : items) names.add(item.getId());
    return names;
  }

  private static void testUserVectors() {
    try (Model model = Model.open(bundle);
        Session session = model.newSession(new SessionOptions().setRecallK(500).setRecallInterests(2))) {
      start(model, session);
      equal(500, session.recall(recall().setK(500)).size());
      session.recall(recall().setUser(UserVector.mean()));
      session.recall(recall().setUser(UserVector.interests(2)));
      equal(2, session.getRecallReport().getSearches());
      expectStatus(Status.INVALID_ARGUMENT, () -> session.recall(recall().setUser(UserVector.interests(3))), "3");
      float[] vector = new float[64];
      vector[3] = 1;
      check(session.recall(recall().setUser(UserVector.of(vector))).size() > 0, "an own vector");
      vector[3] = Float.NaN;
      expectStatus(Status.NOT_FINITE, () -> session.recall(recall().setUser(UserVector.of(vector))), "");
      expectStatus(Status.INVALID_ARGUMENT, () -> session.recall(recall().setUser(UserVector.of(new float[3]))), "");
      expectStatus(Status.INVALID_ARGUMENT, () -> session.recall(recall().setUser(UserVector.model())), "");
      session.clearHistory();
      equal(0, session.recall(recall()).size());
      equal(RecallReport.Outcome.NO_EVENTS, session.getRecallReport().getOutcome());
    }
  }

  private static void testWhatARecallLooksAt() {
    try (Model model = Model.open(bundle);
        Session session = model.newSession(new SessionOptions().setRecallK(500).setRecallProbes(4))) {
      start(model, session);
      Set<Long> seen = new HashSet<>();
      for (long id : ids(object(request, "history"), "movie_id")) seen.add(id);
      Set<Long> fresh = names(session.recall(recall().setK(500)));
      check(Collections.disjoint(seen, fresh), "none of the history");
      check(!Collections.disjoint(seen, names(session.recall(recall().setK(500).setKeepSeen(true)))), "some of the history");
      session.recall(recall().setExact(true));
      RecallReport report = session.getRecallReport();
      check(report.isExact() && report.getRowsScanned() >= model.getRecallInfo().getItemCount() - 32, "all rows were looked at");
      check(report.getEvents() > 0 && report.getEvents() <= model.getInfo().getMaxHistory(), "events: " + report.getEvents());
      expectRecommended(session.recommend(recall().setRankOutput(model.getOutputs().get(0)), 10));
    }
  }

  private static void testPredicates() {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      start(model, session);
      for (Recalled item : session.recall(recall().setAccepts(item -> item.getId() % 2 == 0))) {
        equal(0L, item.getId() % 2);
      }
      IllegalArgumentException mine = new IllegalArgumentException("mine");
      AtomicInteger asked = new AtomicInteger();
      try {
        session.recommend(recall().setAccepts(item -> {
          asked.incrementAndGet();
          throw mine;
        }), 10);
        throw new AssertionError("no exception");
      } catch (IllegalArgumentException e) {
        check(e == mine && asked.get() == 1, "the same, after one item: " + asked);
      }
      // The session can't be used meanwhile, nor be closed.
      expectIllegalState(() -> session.recall(recall().setAccepts(item -> {
        session.getRecallReport();
        return true;
      })), "has not returned");
      expectIllegalState(() -> session.recall(recall().setAccepts(item -> {
        session.close();
        return true;
      })), "has not returned");
      expectRecommended(session.recommend(recall(), 10));
    }
  }

  private static void testOverlay() {
    try (Model model = Model.open(bundle); Session session = model.newSession();
        Overlay overlay = model.newOverlay(4)) {
      start(model, session);
      List<Recalled> all = session.recall(recall());
      long best = all.get(0).getId();
      overlay.hide(best);
      equal(all.get(1).getId(), session.recall(recall().setOverlay(overlay)).get(0).getId());
      overlay.show(best);
      float[] vector = new float[64];
      vector[0] = 1;
      overlay.add(-5, vector);
      RecallOptions own = recall().setUser(UserVector.of(vector)).setOverlay(overlay);
      Recalled found = session.recall(own).get(0);
      equal(-5L, found.getId());
      check(found.isInOverlay(), "of the overlay");
      expectStatus(Status.DUPLICATE_ITEM, () -> overlay.add(-5, vector), "-5");
      expectStatus(Status.DUPLICATE_ITEM, () -> overlay.add(best, vector), "" + best);
      expectStatus(Status.UNKNOWN_ITEM, () -> overlay.remove(77), "77");
      expectStatus(Status.INVALID_ARGUMENT, () -> overlay.add(6, new float[3]), "3");
      expectStatus(Status.INVALID_ARGUMENT, () -> overlay.add("six", vector), "named by numbers");
      expectIllegalState(() -> session.recall(recall().setOverlay(overlay).setAccepts(item -> {
        overlay.add(8, vector);
        return true;
      })), "being recalled with");
      overlay.remove(-5);
      check(session.recall(own).get(0).getId() != -5, "removed");
      overlay.close();
      expectIllegalState(() -> overlay.hide(best), "closed");
      expectIllegalState(() -> session.recall(own), "closed");
      try (Model second = Model.open(bundle); Overlay other = second.newOverlay(1)) {
        expectStatus(Status.INVALID_ARGUMENT, () -> session.recall(recall().setOverlay(other)), "another model");
      }
    }
  }

  private static void testItemsNamedByText() {
    try (Model model = Model.open(stringBundle); Session session = model.newSession();
        Overlay overlay = model.newOverlay(2)) {
      RecallInfo info = model.getRecallInfo();
      check(info.hasStringIds() && !model.getInfo().hasModel(), "strings, and no model");
      float[] vector = new float[info.getDimension()];
      vector[0] = 1;
      RecallOptions options = new RecallOptions().setUser(UserVector.of(vector)).setK(3).setOverlay(overlay);
      List<Recalled> all = session.recall(options);
      equal(3, all.size());
      String best = all.get(0).getStringId();
      check(best.startsWith("item-"), best);
      expectIllegalState(() -> all.get(0).getId(), best);
      List<String> asked = new ArrayList<>();
      session.recall(options.setAccepts(item -> asked.add(item.getStringId())));
      check(asked.contains(best), asked + " has " + best);
      options.setAccepts(null);
      equal(all.get(1).getStringId(), session.recall(options.setExcludedStringIds(best, "none")).get(0).getStringId());
      options.setExcludedStringIds();
      overlay.add("n\u00e9w", vector);
      equal("n\u00e9w", session.recall(options).get(0).getStringId());
      overlay.hide(best);
      expectStatus(Status.INVALID_ARGUMENT, () -> overlay.hide(3), "named by text");
      expectStatus(Status.NO_MODEL, () -> session.score(new Columns(0)), "");
    }
  }

  // ---- Closing, threads, garbage ----

  private static void testUseAfterCloseThrows() {
    Model model = Model.open(bundle);
    Session session = model.newSession();
    model.close();
    model.close();
    check(model.isClosed(), "closed");
    // The session keeps what it needs.
    start(model, session);
    expectRecommended(session.recommend(recall(), 10));
    expectIllegalState(() -> model.newSession(), "the model is closed");
    expectIllegalState(() -> model.check(), "the model is closed");
    expectIllegalState(() -> model.newOverlay(3), "the model is closed");
    expectIllegalState(() -> model.sessionBytes(new SessionOptions()), "the model is closed");
    equal("movielens-din", model.getInfo().getName());
    session.close();
    session.close();
    check(session.isClosed(), "closed");
    Rows rows = new Rows();
    expectIllegalState(() -> session.setContext(rows), "the session is closed");
    expectIllegalState(() -> session.appendEvents(rows), "the session is closed");
    expectIllegalState(() -> session.setHistory(rows), "the session is closed");
    expectIllegalState(() -> session.rank(rows, 3), "the session is closed");
    expectIllegalState(() -> session.score(rows), "the session is closed");
    expectIllegalState(() -> session.recall(recall()), "the session is closed");
    expectIllegalState(() -> session.recommend(recall(), 3), "the session is closed");
    expectIllegalState(() -> session.getRecallReport(), "the session is closed");
    expectIllegalState(() -> session.checkGoldens(), "the session is closed");
  }

  private static void testTwoThreadsInOneSession() throws Exception {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      start(model, session);
      CountDownLatch inside = new CountDownLatch(1);
      CountDownLatch leave = new CountDownLatch(1);
      AtomicReference<Throwable> wrong = new AtomicReference<>();
      Thread other = new Thread(() -> {
        try {
          session.recall(recall().setAccepts(item -> {
            inside.countDown();
            try {
              return leave.await(60, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
              return false;
            }
          }));
        } catch (Throwable e) {
          wrong.set(e);
        }
      }, "busy thread");
      other.start();
      check(inside.await(60, TimeUnit.SECONDS), "the other thread recalls");
      expectIllegalState(() -> session.recommend(recall(), 10), "'busy thread'");
      expectIllegalState(() -> session.rank(candidates(model), 10), "'busy thread'");
      expectIllegalState(() -> session.close(), "'busy thread'");
      leave.countDown();
      other.join();
      check(wrong.get() == null, "" + wrong.get());
      expectRecommended(session.recommend(recall(), 10));
    }
  }

  private static void testManyThreadsWithASessionEach() throws Exception {
    AtomicReference<Throwable> wrong = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    Model model = Model.open(bundle);
    for (int i = 0; i < 8; ++i) {
      Session session = model.newSession();
      Thread thread = new Thread(() -> {
        try {
          for (int run = 0; run < 20; ++run) {
            session.clearHistory();
            start(model, session);
            expectRecommended(session.recommend(recall(), 10));
          }
          session.close();
        } catch (Throwable e) {
          wrong.set(e);
        }
      });
      threads.add(thread);
      thread.start();
    }
    // It stays open until the last of them has closed its session.
    model.close();
    for (Thread thread : threads) thread.join();
    if (wrong.get() != null) throw new AssertionError(wrong.get());
  }

  /** A batch that another thread changes gives wrong scores or an exception, and no crash. */
  private static void testABatchThatIsChangedMeanwhile() throws Exception {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      start(model, session);
      Feature movie = model.feature(Side.CANDIDATE, "movie_id");
      Feature genres = model.feature(Side.CANDIDATE, "genres");
      Columns batch = new Columns(100).set(movie, new long[100]);
      AtomicReference<Boolean> stop = new AtomicReference<>(false);
      Thread changer = new Thread(() -> {
        int[] splits = new int[101];
        for (int i = 0; i <= 100; ++i) splits[i] = i;
        String[] text = new String[100];
        Arrays.fill(text, "Drama");
        while (!stop.get()) {
          batch.set(genres, text, splits);
          batch.set(genres, new String[0], new int[101]);
        }
      });
      changer.start();
      int refused = 0;
      for (int i = 0; i < 3000; ++i) {
        try {
          session.score(batch);
        } catch (HandpickException e) {
          ++refused;
        }
      }
      stop.set(true);
      changer.join();
      check(refused > 0, "unknown films are refused at least");
    }
  }

  private static void testGarbageIsFreed() throws Exception {
    // Without the net 400 sessions of 8 MB each, and 60 copies of the bundle, would stay.
    SessionOptions large = new SessionOptions().setRecallK(1 << 17);
    long before = residentBytes();
    long each;
    try (Model model = Model.open(bundle)) {
      each = model.sessionBytes(large);
    }
    check(each > 4 << 20, "a session takes " + each + " bytes");
    for (int i = 0; i < 60; ++i) {
      Model model = Model.open(bundle, new OpenOptions().setCopy(true));
      model.newOverlay(1000);
      Session session = model.newSession(large);
      start(model, session);
      session.recommend(recall(), 10);
      model = null;
      session = null;
      if (i % 10 == 9) {
        System.gc();
        Thread.sleep(100);
      }
    }
    long after = 0;
    // The cleaner's thread may take its time.
    for (int i = 0; i < 50; ++i) {
      System.gc();
      Thread.sleep(100);
      after = residentBytes();
      if (after - before < 20 * each) break;
    }
    check(after - before < 20 * each, "grew by " + (after - before) + " bytes; a session takes " + each);
  }

  private static long residentBytes() throws Exception {
    for (String line : Files.readAllLines(Paths.get("/proc/self/status"))) {
      if (line.startsWith("RssAnon:")) return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
    }
    throw new AssertionError("/proc/self/status has no RssAnon");
  }

  // ---- Helpers ----

  private interface Call {
    void run() throws Exception;
  }

  private static void expectStatus(Status status, Call call, String text) {
    try {
      call.run();
    } catch (HandpickException e) {
      equal(status, e.getStatus());
      check(e.getMessage().contains(text), "'" + e.getMessage() + "' has '" + text + "'");
      check(!e.getMessage().isEmpty(), "a message");
      return;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    throw new AssertionError("no exception, expected " + status + " " + text);
  }

  private static void expectIllegalState(Call call, String text) {
    try {
      call.run();
    } catch (IllegalStateException e) {
      check(e.getMessage().contains(text), "'" + e.getMessage() + "' has '" + text + "'");
      return;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    throw new AssertionError("no exception: " + text);
  }

  private static void expectWorks(Model model) {
    try (Model closed = model; Session session = closed.newSession()) {
      closed.check();
      start(closed, session);
      expectRecommended(session.recommend(recall(), 10));
    }
  }

  private static void expectRecommended(List<Recommended> films) {
    List<Map<String, Object>> expected = list(recommended, "recommended");
    equal(10, expected.size());
    equal(expected.size(), films.size());
    for (int i = 0; i < films.size(); ++i) {
      equal(expected.get(i).get("id"), films.get(i).getStringId());
      equal(expected.get(i).get("id"), "" + films.get(i).getId());
      sameBits(expected.get(i).get("score"), films.get(i).getScore());
      sameBits(expected.get(i).get("logit"), films.get(i).getLogit());
      sameBits(expected.get(i).get("recall_score"), films.get(i).getRecallScore());
    }
  }

  private static RecallOptions recall() {
    return new RecallOptions().setUser(UserVector.recent(10)).setK(200);
  }

  private static void start(Model model, Session session) {
    session.setContext(context(model));
    session.setHistory(history(model));
  }

  private static Rows context(Model model) {
    Map<String, Object> values = object(request, "context");
    return new Rows()
        .set(model.feature(Side.CONTEXT, "rating_count"), 123)
        .set(model.feature(Side.CONTEXT, "mean_rating"), Double.parseDouble((String) values.get("mean_rating")))
        .set(model.feature(Side.CONTEXT, "recent_mean"), Float.parseFloat((String) values.get("recent_mean")))
        .set(model.feature(Side.CONTEXT, "genre_taste"), numbers(values, "genre_taste"))
        .set(model.feature(Side.CONTEXT, "favourite_genre"), (String) values.get("favourite_genre"));
  }

  private static Rows history(Model model) {
    Map<String, Object> values = object(request, "history");
    Rows events = new Rows();
    long[] movies = ids(values, "movie_id");
    String[] genres = strings(values, "genre");
    for (int i = 0; i < movies.length; ++i) {
      events.add()
          .set(model.feature(Side.HISTORY, "movie_id"), movies[i])
          .set(model.feature(Side.HISTORY, "genre"), genres[i]);
    }
    return events;
  }

  private static Columns candidates(Model model) {
    long[] ids = ids(object(request, "candidates"), "movie_id");
    return new Columns(ids.length).set(model.feature(Side.CANDIDATE, "movie_id"), ids);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Map<String, Object> map, String key) {
    return (Map<String, Object>) map.get(key);
  }

  @SuppressWarnings("unchecked")
  private static <T> List<T> list(Map<String, Object> map, String key) {
    return (List<T>) map.get(key);
  }

  private static long[] ids(Map<String, Object> map, String key) {
    return HandpickTest.<String>list(map, key).stream().mapToLong(Long::parseLong).toArray();
  }

  private static float[] numbers(Map<String, Object> map, String key) {
    List<String> list = list(map, key);
    float[] numbers = new float[list.size()];
    for (int i = 0; i < numbers.length; ++i) numbers[i] = Float.parseFloat(list.get(i));
    return numbers;
  }

  private static String[] strings(Map<String, Object> map, String key) {
    return HandpickTest.<String>list(map, key).toArray(new String[0]);
  }

  private static String read(String path) throws Exception {
    return new String(Files.readAllBytes(Paths.get(path)), StandardCharsets.UTF_8).trim();
  }

  private static void sameBits(Object expected, float actual) {
    equal(Float.floatToIntBits(Float.parseFloat((String) expected)), Float.floatToIntBits(actual));
  }

  private static void equalBits(float[] expected, float[] actual) {
    equal(expected.length, actual.length);
    for (int i = 0; i < expected.length; ++i) {
      equal(Float.floatToIntBits(expected[i]), Float.floatToIntBits(actual[i]));
    }
  }

  private static void equal(Object expected, Object actual) {
    if (!expected.equals(actual)) throw new AssertionError("expected " + expected + ", got " + actual);
  }

  private static void check(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }

  private HandpickTest() {}
}
