/* How fast one core multiplies: FP32, BF16 and INT8 instructions of AVX-512, side by side.

   A processor may know an instruction and run it slowly; no kernel is faster than these.

   gcc -O1 -march=native bench/instruction_rate.c -o /tmp/instruction_rate && /tmp/instruction_rate */

#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 5
#define TURNS 50000000L
/* Independent sums, so that no instruction waits for the one before it. */
#define EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define SUMS 12
#define SUM(i) __m512i sum##i = _mm512_setzero_si512();

#define MEASURE(NAME, INSTRUCTION)                                                  \
    static double NAME(void) {                                                      \
        __m512i factor = _mm512_set1_epi32(0x01010101);                             \
        struct timespec begin, end;                                                 \
        EACH(SUM)                                                                   \
        clock_gettime(CLOCK_MONOTONIC, &begin);                                     \
        for (long turn = 0; turn < TURNS; turn++) { EACH(INSTRUCTION) }             \
        clock_gettime(CLOCK_MONOTONIC, &end);                                       \
        double seconds = end.tv_sec - begin.tv_sec + 1e-9 * (end.tv_nsec - begin.tv_nsec); \
        return SUMS * TURNS / seconds / 1e9;                                        \
    }

#define FP32(i) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+v"(sum##i) : "v"(factor));
#define BF16(i) __asm__ volatile("vdpbf16ps %1, %1, %0" : "+v"(sum##i) : "v"(factor));
#define INT8(i) __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(sum##i) : "v"(factor));
MEASURE(fp32, FP32)
MEASURE(bf16, BF16)
MEASURE(int8, INT8)

static int ascending(const void *a, const void *b) {
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

int main(void) {
    double rates[3][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        rates[0][round] = fp32();
        rates[1][round] = bf16();
        rates[2][round] = int8();
    }
    /* Operations of one instruction: 16, 32 and 64 products, each with its sum. */
    const double operations[3] = {32, 64, 128};
    double giga[3];
    for (int kind = 0; kind < 3; kind++) {
        qsort(rates[kind], ROUNDS, sizeof(double), ascending);
        giga[kind] = operations[kind] * rates[kind][ROUNDS / 2];
    }
    printf("{\"bench\": \"instruction_rate\", \"fp32_gflops\": %.0f, \"bf16_gflops\": %.0f, "
           "\"int8_gops\": %.0f, \"bf16_over_fp32\": %.2f, \"int8_over_fp32\": %.2f}\n",
           giga[0], giga[1], giga[2], giga[1] / giga[0], giga[2] / giga[0]);
    return 0;
}
