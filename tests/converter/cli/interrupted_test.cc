// The command is killed, or the disk fails, at every call that changes a file: what was to be
// written is the old file or the new one, whole, and the exit status says which.
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/child_program.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

namespace fs = std::filesystem;

constexpr char kShim[] = "tests/converter/cli/fail_at.so";
constexpr char kOld[] = "what was there before";

struct Ended {
  int status;  // Exit status; 128 and more: the signal.
  std::string err;
};

// Runs the command in a child, which `prepare` gets ready.
Ended RunToItsEnd(const std::vector<std::string>& arguments, const std::function<void()>& prepare) {
  const std::string err = ::testing::TempDir() + "/interrupted.err";
  const pid_t child = StartProgram("converter/cli/handpick", arguments, [&] {
    const int null = open("/dev/null", O_RDWR);
    const int errors = open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    prepare();
  });
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), ReadText(err)};
}

class InterruptedTest : public ::testing::Test {
 protected:
  InterruptedTest() : folder_(EmptyTestFolder()) {
    arguments_ = {"convert",   "--quiet",
                  "--spec",    "tests/goldens/lr/deepctr_sum.spec.json",
                  "--weights", "tests/goldens/lr/deepctr_sum.npz",
                  "--out",     bundle(),
                  "--report",  report()};
    EXPECT_EQ(RunToItsEnd(arguments_, [] {}).status, 0);
    new_bundle_ = ReadText(bundle());
    new_report_ = ReadText(report());
    EXPECT_GT(new_bundle_.size(), 100u);
  }

  std::string bundle() const { return folder_ + "/b.hpk"; }
  std::string report() const { return folder_ + "/r.json"; }

  // What is there before a run.
  void Reset(bool exists) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    if (!exists) return;
    WriteText(bundle(), kOld);
    WriteText(report(), kOld);
  }

  // The file is the new one (true) or the old one, and nothing else.
  static bool IsNew(const std::string& path, const std::string& made, bool existed) {
    if (!fs::exists(path)) {
      EXPECT_FALSE(existed) << path << " is gone";
      return false;
    }
    const std::string text = ReadText(path);
    if (text == made) return true;
    EXPECT_TRUE(existed) << path << " is neither";
    EXPECT_EQ(text, kOld) << path << " is neither";
    return false;
  }

  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  // Fails at every call in turn, with an error or (0) the end; returns how many calls there are.
  int FailAtEach(int error, bool exists, const std::function<void(const Ended&)>& check) {
    const std::string count = ::testing::TempDir() + "/interrupted.count";
    for (int at = 1; at < 1000; ++at) {
      SCOPED_TRACE(absl::StrCat("call ", at));
      Reset(exists);
      WriteText(count, "0");
      const Ended ended = RunToItsEnd(arguments_, [&] {
        setenv("LD_PRELOAD", fs::absolute(kShim).c_str(), 1);
        setenv("FAIL_AT", absl::StrCat(at).c_str(), 1);
        setenv("FAIL_WITH", absl::StrCat(error).c_str(), 1);
        setenv("FAIL_COUNT", count.c_str(), 1);
      });
      check(ended);
      if (HasFatalFailure()) return at;
      if (ended.status == 0 && std::atoi(ReadText(count).c_str()) < at) return at - 1;
    }
    return 1000;
  }

  const std::string folder_;
  std::vector<std::string> arguments_;
  std::string new_bundle_, new_report_;
};

TEST_F(InterruptedTest, KilledAtAnyTime) {
  for (const bool exists : {false, true}) {
    const int calls = FailAtEach(0, exists, [&](const Ended& ended) {
      const bool has_bundle = IsNew(bundle(), new_bundle_, exists);
      const bool has_report = IsNew(report(), new_report_, exists);
      // The report goes first: a bundle that is there has one.
      EXPECT_TRUE(has_report || !has_bundle);
      if (ended.status == 0) {
        EXPECT_TRUE(has_bundle);
      } else {
        EXPECT_EQ(ended.status, 128 + SIGKILL) << ended.err;
      }
      // What may be left goes with the next run.
      ASSERT_EQ(RunToItsEnd(arguments_, [] {}).status, 0);
      EXPECT_EQ(Names(), (std::set<std::string>{"b.hpk", "r.json"}));
      EXPECT_EQ(ReadText(bundle()), new_bundle_);
    });
    EXPECT_GT(calls, 8) << "the calls were not seen";
    EXPECT_LT(calls, 100);
  }
}

TEST_F(InterruptedTest, TheDiskFailsAtAnyTime) {
  for (const int error : {ENOSPC, EIO}) {
    for (const bool exists : {false, true}) {
      const int calls = FailAtEach(error, exists, [&](const Ended& ended) {
        ASSERT_LT(ended.status, 2) << ended.err;
        const bool made = ended.status == 0;
        EXPECT_EQ(IsNew(bundle(), new_bundle_, exists), made) << ended.err;
        EXPECT_EQ(IsNew(report(), new_report_, exists), made) << ended.err;
        if (!made) {
          EXPECT_NE(ended.err.find("cannot "), std::string::npos) << ended.err;
        }
        // A name that could not be taken away again is hidden.
        for (const std::string& name : Names()) {
          EXPECT_TRUE(name == "b.hpk" || name == "r.json" || name.rfind(".handpick-", 0) == 0)
              << name;
        }
      });
      EXPECT_GT(calls, 8);
    }
  }
}

TEST_F(InterruptedTest, FilesMayNotGrow) {
  Reset(true);
  const Ended ended = RunToItsEnd(arguments_, [] {
    const rlimit limit = {64, 64};
    setrlimit(RLIMIT_FSIZE, &limit);
  });
  EXPECT_EQ(ended.status, 1);
  EXPECT_FALSE(IsNew(bundle(), new_bundle_, true));
  EXPECT_FALSE(IsNew(report(), new_report_, true));
  EXPECT_EQ(Names(), (std::set<std::string>{"b.hpk", "r.json"}));
}

// Nobody reads what is printed, or it cannot be written: then nothing is.
TEST_F(InterruptedTest, TheStandardOutputFails) {
  for (const bool pipe_is_closed : {false, true}) {
    Reset(true);
    const Ended ended = RunToItsEnd(arguments_, [&] {
      if (pipe_is_closed) {
        int ends[2];
        if (pipe(ends) != 0) _exit(126);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
      } else {
        dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
      }
    });
    EXPECT_EQ(ended.status, 1);
    EXPECT_NE(ended.err.find("cannot write to the standard output"), std::string::npos)
        << ended.err;
    EXPECT_FALSE(IsNew(bundle(), new_bundle_, true));
    EXPECT_FALSE(IsNew(report(), new_report_, true));
  }
  const Ended help =
      RunToItsEnd({"help"}, [] { dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO); });
  EXPECT_EQ(help.status, 1);
}

TEST_F(InterruptedTest, TheFolderCannotBeWritten) {
  constexpr int kCannotTell = 126;
  for (const bool exists : {false, true}) {
    Reset(exists);
    fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
    const Ended ended = RunToItsEnd(arguments_, [] {
      // Root may write everywhere, unless it can't get that right.
      if (geteuid() == 0 && prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) != 0) _exit(kCannotTell);
    });
    fs::permissions(folder_, fs::perms::owner_all);
    if (ended.status == kCannotTell) GTEST_SKIP() << "root keeps its rights here";
    EXPECT_EQ(ended.status, 1);
    EXPECT_NE(ended.err.find("Permission denied"), std::string::npos) << ended.err;
    EXPECT_FALSE(IsNew(bundle(), new_bundle_, exists));
    EXPECT_FALSE(IsNew(report(), new_report_, exists));
    EXPECT_EQ(Names().size(), exists ? 2u : 0u);
  }
}

TEST_F(InterruptedTest, AFolderThatIsNotThereIsSaidBeforeAnyWork) {
  for (const size_t path : {7u, 9u}) {
    Reset(true);
    std::vector<std::string> arguments = arguments_;
    arguments[path] = folder_ + "/nowhere/f";
    const Ended ended = RunToItsEnd(arguments, [] {});
    EXPECT_EQ(ended.status, 1);
    EXPECT_NE(ended.err.find("cannot write"), std::string::npos) << ended.err;
    EXPECT_FALSE(IsNew(bundle(), new_bundle_, true));
    EXPECT_FALSE(IsNew(report(), new_report_, true));
  }
}

// An output that is an input, by any name: the trained weights would be gone.
TEST_F(InterruptedTest, WhatIsReadIsNotWrittenOver) {
  const std::string weights = folder_ + "/w.npz";
  const std::string spec = folder_ + "/s.json";
  const auto expect = [&](const std::string& out, const std::string& other_report) {
    Reset(false);
    fs::copy(arguments_[3], spec);
    fs::copy(arguments_[5], weights);
    fs::create_symlink(weights, folder_ + "/link.npz");
    fs::create_hard_link(weights, folder_ + "/hard.npz");
    const std::string before = ReadText(weights);
    const Ended ended = RunToItsEnd({"convert", "--quiet", "--spec", spec, "--weights", weights,
                                     "--out", out, "--report", other_report},
                                    [] {});
    EXPECT_EQ(ended.status, 1) << out;
    EXPECT_NE(ended.err.find("the same file as"), std::string::npos) << ended.err;
    EXPECT_EQ(ReadText(weights), before);
    EXPECT_EQ(ReadText(spec), ReadText(arguments_[3]));
  };
  expect(weights, report());
  expect(spec, report());
  expect(folder_ + "/link.npz", report());
  expect(folder_ + "/hard.npz", report());
  expect(folder_ + "/./w.npz", report());
  expect(bundle(), weights);
  expect(bundle(), bundle());
  expect(bundle(), folder_ + "/../" + fs::path(folder_).filename().string() + "/b.hpk");
}

}  // namespace
}  // namespace handpick::converter
