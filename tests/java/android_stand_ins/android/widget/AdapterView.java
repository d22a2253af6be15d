package android.widget;

import android.view.View;

public abstract class AdapterView<T> extends View {
  public interface OnItemClickListener {
    void onItemClick(AdapterView<?> parent, View view, int position, long id);
  }

  public void setOnItemClickListener(OnItemClickListener listener) {}
}
