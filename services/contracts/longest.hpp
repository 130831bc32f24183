// The companies of the longest targets, longest first, with targets of a quarter of the size that tell roughly how high
// a score is. Few of them need be looked at: no score is above the length of its target, and its popularity.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "exact.hpp"

// Compiled for several kinds of processors, of which one is chosen where it runs.
#if defined(__x86_64__) && defined(__GLIBC__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

namespace scoring {

using Companies = std::vector<int64_t>;

// In how many steps the largest number of a coarse target and of a coarse query is told.
constexpr int TARGET_STEPS = 127, QUERY_STEPS = 8191;
// Half a step, and more than what rounding adds to it.
constexpr float HALF = 0.51F;
// More than lengths and queries are rounded by, as a share.
constexpr double ROUNDED = 1e-5;
constexpr float NEVER = -std::numeric_limits<float>::infinity();

// A matrix in C order.
struct Matrix {
    const float* numbers;
    size_t rows, width;

    const float* row(size_t number) const { return numbers + number * width; }
};

// The number of steps that is nearest, of each number; the size of a step.
template <typename Steps>
float to_steps(const float* numbers, size_t count, int most, Steps* steps) {
    const float step = static_cast<float>(exact::reach(numbers, count) / most);
    for (size_t k = 0; k < count; ++k) steps[k] = step > 0 ? static_cast<Steps>(std::lround(numbers[k] / step)) : 0;
    return step;
}

template <typename Number>
float sum_of_sizes(const Number* numbers, size_t count) {
    float sum = 0;
    for (size_t k = 0; k < count; ++k) sum += static_cast<float>(std::abs(numbers[k]));
    return sum;
}

// A query in steps, how large one is, and the sum of the sizes of its numbers; popularity: what asks for that.
struct CoarseQuery {
    std::vector<int16_t> steps;
    float step, reach, popularity;
};

// Of some targets, a column each. reach: the sums of the sizes of their coarse numbers; doubt: see scorer.pyi.
struct CoarseTargets {
    const int8_t* steps;
    const float *step, *reach, *popularity, *doubt;
};

// Between which bounds scores lie; NEVER for an upper bound that is but rounding, and for a lower one.
//
// Products of whole numbers are exact in any order: a thousand come to less than 2^31.
FOR_EACH_PROCESSOR inline void bounds(const CoarseTargets& targets, const CoarseQuery& query, size_t count,
                                      float* upper, float* lower) {
    const size_t width = query.steps.size();
    const int16_t* asked = query.steps.data();
    for (size_t i = 0; i < count; ++i) {
        int32_t sum = 0;
        for (size_t k = 0; k < width; ++k) sum += static_cast<int32_t>(targets.steps[i * width + k]) * asked[k];
        upper[i] = static_cast<float>(sum);
    }
    for (size_t i = 0; i < count; ++i) {
        const float score = upper[i] * targets.step[i] * query.step + targets.popularity[i] * query.popularity;
        const float wrong = targets.doubt[i] + HALF * (targets.step[i] * query.reach + query.step * targets.reach[i]);
        const float rounding = 2 * targets.doubt[i];
        upper[i] = score + wrong >= rounding ? score + wrong : NEVER;
        lower[i] = score - wrong > rounding ? score - wrong : NEVER;
    }
}

// The least of the `count` greatest numbers above 0 that were added; 0 while there are fewer. count: at least 1.
class Least {
  public:
    explicit Least(size_t count) : count_(count) {}

    void add(float number) {
        if (number <= found_) return;
        if (heap_.size() == count_) {
            std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
            heap_.pop_back();
        }
        heap_.push_back(number);
        std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
        if (heap_.size() == count_) found_ = heap_.front();
    }

    float found() const { return found_; }

  private:
    size_t count_;
    float found_ = 0;
    std::vector<float> heap_;
};

class Longest {
  public:
    // norms: of the targets; doubt: by how much their scores in float may be wrong.
    Longest(const Matrix& target, const std::vector<double>& norms, const std::vector<float>& doubt, size_t count)
        : last_(target.width - 1), places_(target.rows), companies_(count), coarse_(count * last_) {
        for (auto* column : {&step_, &reach_, &popularity_, &doubt_, &rest_}) column->resize(count);
        std::vector<int32_t> order(target.rows);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int32_t one, int32_t two) { return norms[one] > norms[two]; });
        float rest = NEVER;
        for (size_t place = order.size(); place-- > 0;) {
            const int32_t company = order[place];
            const float* row = target.row(company);
            places_[company] = static_cast<int32_t>(place);
            rest = std::max(rest, most(row));
            if (place >= count) {
                beyond_ = rest;
                continue;
            }
            int8_t* steps = coarse_.data() + place * last_;
            companies_[place] = company;
            step_[place] = to_steps(row, last_, TARGET_STEPS, steps);
            reach_[place] = step_[place] * sum_of_sizes(steps, last_);
            popularity_[place] = row[last_];
            doubt_[place] = doubt[company];
            rest_[place] = rest;
        }
    }

    bool has(int64_t company) const { return static_cast<size_t>(places_[company]) < companies_.size(); }

    // Adds all of them that may be among the best `count`, none of `barred`; whether no other company can be.
    //
    // What is not surely more than rounding takes nobody's place.
    bool choose(const float* asked, const std::vector<int32_t>& barred, size_t count, Companies& chosen) const {
        CoarseQuery query{std::vector<int16_t>(last_), 0, sum_of_sizes(asked, last_), asked[last_]};
        query.step = to_steps(asked, last_, QUERY_STEPS, query.steps.data());
        const std::vector<size_t> closed = places_of(barred);
        auto next = closed.begin();
        std::vector<float> upper(companies_.size());
        Least least(count);
        size_t place = 0;
        while (place < companies_.size() && rest_[place] >= least.found()) {
            float lower[AT_ONCE];
            const size_t some = std::min(AT_ONCE, companies_.size() - place);
            const CoarseTargets targets{coarse_.data() + place * last_, step_.data() + place, reach_.data() + place,
                                        popularity_.data() + place, doubt_.data() + place};
            bounds(targets, query, some, upper.data() + place, lower);
            for (; next != closed.end() && *next < place + some; ++next) upper[*next] = lower[*next - place] = NEVER;
            for (size_t i = 0; i < some; ++i) least.add(lower[i]);
            place += some;
        }
        for (size_t i = 0; i < place; ++i)
            if (upper[i] >= least.found()) chosen.push_back(companies_[i]);
        return place < companies_.size() || beyond_ < least.found();
    }

  private:
    static constexpr size_t AT_ONCE = 32;

    // No score is above it: a query is of length 1 but for rounding, and popularity is asked for with 1.
    float most(const float* target) const {
        const double popularity = target[last_];
        const double score = exact::length(target, last_) * (1 + ROUNDED) + popularity + std::abs(popularity) * ROUNDED;
        return std::nextafter(static_cast<float>(score), -NEVER);
    }

    // Of those of the companies that are among the longest; ascending.
    std::vector<size_t> places_of(const std::vector<int32_t>& companies) const {
        std::vector<size_t> found;
        for (int32_t company : companies)
            if (company >= 0 && static_cast<size_t>(company) < places_.size() && has(company))
                found.push_back(places_[company]);
        std::sort(found.begin(), found.end());
        return found;
    }

    size_t last_;                  // the place of popularity
    std::vector<int32_t> places_;  // of all companies, in the order of lengths
    std::vector<int32_t> companies_;
    std::vector<int8_t> coarse_;
    std::vector<float> step_, reach_, popularity_, doubt_;
    std::vector<float> rest_;  // no score from here on is above it, nor above beyond_ those of all that are not kept
    float beyond_ = NEVER;
};

}  // namespace scoring
