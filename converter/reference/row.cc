#include "converter/reference/row.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace handpick::converter::reference {
namespace {

// Nothing overflows.
double LogSigmoid(double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); }

}  // namespace

Row Pool(const std::vector<Row>& rows, uint32_t width, schema::Combiner combiner, double divisor,
         double empty_value) {
  if (rows.empty()) return Row(width, combiner == schema::Combiner::Max ? empty_value : 0.0);
  Row pooled = rows[0];
  for (size_t r = 1; r < rows.size(); ++r) {
    for (uint32_t j = 0; j < width; ++j) {
      pooled[j] = combiner == schema::Combiner::Max ? std::max(pooled[j], rows[r][j])
                                                    : pooled[j] + rows[r][j];
    }
  }
  if (combiner == schema::Combiner::Mean) {
    for (double& number : pooled) number /= divisor;
  }
  return pooled;
}

double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

void ActivateInPlace(const ActivationSpec& activation, absl::Span<double> row) {
  for (size_t j = 0; j < row.size(); ++j) {
    const double x = row[j];
    switch (activation.kind) {
      case schema::ActivationKind::Linear:
        break;
      case schema::ActivationKind::Relu:
        row[j] = std::max(x, 0.0);
        break;
      case schema::ActivationKind::Sigmoid:
        row[j] = Sigmoid(x);
        break;
      case schema::ActivationKind::LogSigmoid:
        row[j] = LogSigmoid(x);
        break;
      case schema::ActivationKind::Prelu:
        row[j] = x > 0 ? x : x * activation.alpha[activation.alpha.size() == 1 ? 0 : j];
        break;
      case schema::ActivationKind::Tanh:
        row[j] = std::tanh(x);
        break;
      case schema::ActivationKind::Dice: {
        const double p = Sigmoid(activation.scale[j] * x + activation.shift[j]);
        row[j] = p * x + (1 - p) * activation.alpha[j] * x;
        break;
      }
    }
  }
}

Row Activate(Row row, const ActivationSpec& activation) {
  ActivateInPlace(activation, absl::MakeSpan(row));
  return row;
}

Row Product(const DenseData& dense, RowView x) {
  Row y(dense.output_width, 0.0);
  for (uint32_t j = 0; j < dense.output_width; ++j) {
    for (uint32_t i = 0; i < dense.input_width; ++i) y[j] += x[i] * dense.At(j, i);
    if (!dense.bias.empty()) y[j] += dense.bias[j];
  }
  return y;
}

}  // namespace handpick::converter::reference
