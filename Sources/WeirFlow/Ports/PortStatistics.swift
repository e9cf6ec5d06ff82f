/// Holds what is measured of a series of ports; `PortMeasuring` measures it.
///
/// A step is the way from one port of the series to the next one, modulo the range's size, between minus one half and one
/// half of it. A small step leads forward by at most `smallBound` ports.
public struct PortStatistics: Hashable, Sendable {
    /// Counts the choices.
    public var samples = 0
    /// Counts the destinations.
    public var destinations = 0
    /// Counts the different ports.
    public var distinctPorts = 0
    /// Holds the time from the first choice to the last, in seconds; nil where times are not known.
    public var seconds: Double?

    /// Holds the least port seen and the greatest.
    public var seen = PortRange(0, 0)
    /// Holds the ends that the gaps between the ports let expect.
    public var corrected = PortRange(0, 0)
    /// Holds the range that everything else is measured in.
    public var range = PortRange(0, 0)
    /// Says how that is known.
    public var rangeSource = PortRangeSource.estimated
    /// Names the range where it is one of the known ones.
    public var rangeName: String?

    /// Holds the share of even ports.
    public var evenShare = 0.0
    /// Holds log10 of the chance of a share at least as far from one half, were parities a fair coin's.
    public var evenLog10P = 0.0

    /// Bounds what a small step is, in ports.
    public var smallBound = 64
    /// Counts the steps within destinations.
    public var steps = 0
    /// Holds the share of small steps within destinations.
    public var smallShare = 0.0
    /// Holds the share of small steps in the order of all choices, whatever their destinations.
    public var mergedSmallShare = 0.0
    /// Holds the share of choices that are a small step behind one of the last four of their destination.
    public var chainedShare = 0.0
    /// Counts the small steps within destinations by their length; the place 0 is empty.
    public var stepCounts: [Int] = []
    /// Counts the steps within destinations that are not small.
    public var jumps = 0
    /// Says what the times of the jumps tell; nil where they tell nothing.
    public var rekeying: Rekeying?

    /// Holds the standard deviation of the ports.
    public var deviation = 0.0
    /// Holds the same as a share of what a uniform choice from the range has: R / sqrt(12).
    public var relativeDeviation = 0.0
    /// Holds chi-square of the ports in 16 equal bins of the range, 15 degrees of freedom.
    public var chiSquare = 0.0
    /// Holds the chance of at least that, were the choice uniform.
    public var chiSquareP = 1.0
    /// Holds the correlation of each port with the one before.
    public var serialCorrelation = 0.0
    /// Holds Shannon's entropy of the ports.
    public var entropy = Entropy()
    /// Says after how long ports were used again.
    public var reuse = Reuse()

    /// Makes the statistics of nothing.
    public init() {}

    /// Tells how the jumps within destinations keep to a period.
    public struct Rekeying: Hashable, Sendable {
        /// Holds the period that was looked for, in seconds.
        public var period = 10.0
        /// Holds when in the period the jumps come, in seconds, for times counted from 1970.
        public var phase = 0.0
        /// Counts the jumps that were looked at.
        public var jumps = 0
        /// Counts those that a change at that phase explains.
        public var explained = 0
        /// Counts the small steps over such a change, which speak against it.
        public var contradicting = 0
        /// Holds log10 of the chance of so many, were the jumps' times random.
        public var log10P = 0.0
    }

    /// Holds Shannon's entropy of the ports in equal bins of the range.
    public struct Entropy: Hashable, Sendable {
        /// Counts the bins: at most a fifth of the samples, so that the estimate holds.
        public var bins = 1
        /// Holds the estimate in bits, its bias corrected (Miller and Madow 1955).
        public var bits = 0.0
        /// Holds the correction in bits.
        public var bias = 0.0
        /// Holds what a uniform choice has in so many bins.
        public var most: Double { PortMath.log2(Double(bins)) }
    }

    /// Tells how ports come back.
    public struct Reuse: Hashable, Sendable {
        /// Counts the choices of a port that was chosen before.
        public var count = 0
        /// Holds how many a uniform choice from the range makes: n^2 / 2R for few.
        public var expected = 0.0
        /// Holds the fewest choices from one use of a port to its next; 1 is the very next one.
        public var fewestBetween: Int?
        /// Holds the median of those.
        public var medianBetween: Int?
        /// Holds the shortest time from one use of a port to its next, in seconds.
        public var shortestSeconds: Double?
    }
}
