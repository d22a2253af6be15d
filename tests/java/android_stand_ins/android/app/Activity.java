package android.app;

import android.content.Context;
import android.content.res.AssetManager;
import android.os.Bundle;
import android.view.View;

public class Activity extends Context {
  @Override
  public AssetManager getAssets() {
    return null;
  }

  protected void onCreate(Bundle state) {}

  protected void onDestroy() {}

  public void setContentView(View view) {}

  public void setTitle(CharSequence title) {}
}
