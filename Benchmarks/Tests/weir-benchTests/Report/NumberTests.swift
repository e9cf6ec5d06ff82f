import Testing

@testable import weir_bench

@Suite("Number")
struct NumberTests {
    @Test(
        "Digits are rounded, padded and grouped",
        arguments: [
            (0.0, 0, "0"), (0.004, 2, "0.00"), (0.005, 2, "0.01"), (1.5, 0, "2"), (12.3456, 3, "12.346"),
            (999.999, 2, "1,000.00"), (1234567.0, 0, "1,234,567"), (-1234.5, 1, "-1,234.5"), (-0.001, 2, "0.00"),
            (1.05, 2, "1.05"), (100_000.0, 0, "100,000"), (Double.infinity, 1, "—"),
        ]
    )
    func fixed(_ value: Double, _ digits: Int, _ expected: String) {
        #expect(Number.fixed(value, digits: digits) == expected)
    }
}
