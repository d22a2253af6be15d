// Files of tests.
#ifndef HANDPICK_TESTS_SUPPORT_TEST_FILES_H_
#define HANDPICK_TESTS_SUPPORT_TEST_FILES_H_

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace handpick {

// A folder for the test that is running, with nothing in it.
inline std::string EmptyTestFolder() {
  const std::string folder =
      ::testing::TempDir() + "/" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Returns the path.
inline const std::string& WriteText(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

}  // namespace handpick

#endif  // HANDPICK_TESTS_SUPPORT_TEST_FILES_H_
