package dev.handpick.films;

import android.app.Activity;
import android.content.res.AssetFileDescriptor;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.view.View;
import android.widget.AdapterView;
import android.widget.ArrayAdapter;
import android.widget.ListView;
import dev.handpick.HandpickException;
import dev.handpick.Model;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A list of films. A tap says "I liked it", and the list is made anew, on the device. */
public final class FilmsActivity extends Activity implements AdapterView.OnItemClickListener {
  private static final int SHOWN = 30;

  // All that touches the ranker runs on this thread.
  private final ExecutorService worker = Executors.newSingleThreadExecutor();
  private final Handler screen = new Handler(Looper.getMainLooper());
  private ArrayAdapter<Film> list;
  private FilmRanker ranker;

  @Override
  protected void onCreate(Bundle state) {
    super.onCreate(state);
    list = new ArrayAdapter<Film>(this, android.R.layout.simple_list_item_1);
    ListView view = new ListView(this);
    view.setAdapter(list);
    view.setOnItemClickListener(this);
    setContentView(view);
    // An app would remember what its user liked. This one begins with Star Wars.
    rank(260);
  }

  @Override
  public void onItemClick(AdapterView<?> parent, View view, int position, long row) {
    Film film = list.getItem(position);
    if (film != null) rank(film.id);
  }

  private void rank(final long liked) {
    worker.execute(
        new Runnable() {
          @Override
          public void run() {
            try {
              if (ranker == null) ranker = open();
              long begin = System.nanoTime();
              ranker.like(liked);
              List<Film> films = ranker.recommend(SHOWN);
              show(films, String.format("%.2f ms on this device", (System.nanoTime() - begin) / 1e6));
            } catch (HandpickException | IOException e) {
              show(null, e.getMessage());
            }
          }
        });
  }

  /** The bundle is not copied: it is used where it lies in the APK. */
  private FilmRanker open() throws IOException {
    try (AssetFileDescriptor asset = getAssets().openFd("films.hpk");
        InputStream catalog = getAssets().open("catalog.jsonl")) {
      Model model =
          Model.open(asset.getParcelFileDescriptor().getFd(), asset.getStartOffset(), asset.getLength());
      return new FilmRanker(model, catalog);
    }
  }

  private void show(final List<Film> films, final String title) {
    screen.post(
        new Runnable() {
          @Override
          public void run() {
            setTitle(title);
            if (films == null) return;
            list.clear();
            list.addAll(films);
          }
        });
  }

  @Override
  protected void onDestroy() {
    super.onDestroy();
    worker.execute(
        new Runnable() {
          @Override
          public void run() {
            if (ranker != null) ranker.close();
          }
        });
    worker.shutdown();
  }
}
