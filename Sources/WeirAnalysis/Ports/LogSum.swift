/// A sum of logarithms of probabilities, kept as a product for as long as it fits, which saves most logarithms.
struct LogSum {
    private var sum = 0.0
    private var product = 1.0

    /// Adds the natural logarithm of a probability.
    ///
    /// - Parameter chance: above 1e-100, below 1e100.
    mutating func add(_ chance: Double) {
        product *= chance
        guard product < 1e-200 || product > 1e200 else { return }
        sum += PortMath.ln(product)
        product = 1
    }

    /// The sum.
    var value: Double { sum + PortMath.ln(product) }
}
