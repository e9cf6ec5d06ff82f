public import WeirEngine

/// The statistics of a series of ports; `PortMeasuring` computes them.
///
/// A step is the distance from one port of the series to the next one, modulo the range's size, between minus one half
/// and one half of it. A small step leads forward by at most `smallBound` ports.
public struct PortStatistics: Hashable, Sendable {
    /// The number of choices.
    public var samples = 0
    /// The number of destinations.
    public var destinations = 0
    /// The number of different ports.
    public var distinctPorts = 0
    /// The time from the first choice to the last, in seconds; nil if times are not known.
    public var seconds: Double?

    /// The lowest port seen and the highest.
    public var seen = PortRange(0, 0)
    /// The probable bounds of the range, estimated from the gaps between the ports.
    public var corrected = PortRange(0, 0)
    /// The range on which all other statistics are based.
    public var range = PortRange(0, 0)
    /// The way in which that range is known.
    public var rangeSource = PortRangeSource.estimated
    /// The name of the range, if it has one.
    public var rangeName: String?

    /// The share of even ports.
    public var evenShare = 0.0
    /// The log10 of the probability of a share at least as far from one half, if parities were a fair coin's.
    public var evenLog10P = 0.0

    /// The length of the largest small step, in ports.
    public var smallBound = 64
    /// The number of steps within destinations.
    public var steps = 0
    /// The share of small steps within destinations.
    public var smallShare = 0.0
    /// The share of small steps in the order of all choices, whatever their destinations.
    public var mergedSmallShare = 0.0
    /// The share of choices that are a small step after one of the last four of their destination.
    public var chainedShare = 0.0
    /// The number of small steps within destinations by their length; index 0 is unused.
    public var stepCounts: [Int] = []
    /// The number of steps within destinations that are not small.
    public var jumps = 0
    /// The periodicity of the jumps; nil if their times reveal none.
    public var rekeying: Rekeying?

    /// The standard deviation of the ports.
    public var deviation = 0.0
    /// The standard deviation relative to that of a uniform choice from the range: R / sqrt(12).
    public var relativeDeviation = 0.0
    /// The chi-square statistic of the ports in 16 equal bins of the range, with 15 degrees of freedom.
    public var chiSquare = 0.0
    /// The probability of at least that value, if the choice were uniform.
    public var chiSquareP = 1.0
    /// The correlation of each port with the one before.
    public var serialCorrelation = 0.0
    /// Shannon's entropy of the ports.
    public var entropy = Entropy()
    /// The reuse of ports.
    public var reuse = Reuse()

    /// Creates the statistics of no choices.
    public init() {}

    /// The fit of the jumps within destinations to a period.
    public struct Rekeying: Hashable, Sendable {
        /// The period that was searched for, in seconds.
        public var period = 10.0
        /// The phase of the jumps in the period, in seconds, for times counted from 1970.
        public var phase = 0.0
        /// The number of jumps that were examined.
        public var jumps = 0
        /// The number of jumps that a change at that phase explains.
        public var explained = 0
        /// The number of small steps across such a change, which speak against it.
        public var contradicting = 0
        /// The log10 of the probability of so many, if the jumps' times were random.
        public var log10P = 0.0
    }

    /// Shannon's entropy of the ports in equal bins of the range.
    public struct Entropy: Hashable, Sendable {
        /// The number of bins: at most a fifth of the samples, so that the estimate holds.
        public var bins = 1
        /// The estimate in bits, with its bias corrected (Miller and Madow 1955).
        public var bits = 0.0
        /// The correction in bits.
        public var bias = 0.0
        /// The entropy of a uniform choice in that many bins, in bits.
        public var most: Double { PortMath.log2(Double(bins)) }
    }

    /// The reuse of ports.
    public struct Reuse: Hashable, Sendable {
        /// The number of choices of a port that was chosen before.
        public var count = 0
        /// The number that a uniform choice from the range would have: n^2 / 2R for few choices.
        public var expected = 0.0
        /// The smallest number of choices from one use of a port to its next; 1 is the very next one.
        public var fewestBetween: Int?
        /// The median number of choices from one use of a port to its next.
        public var medianBetween: Int?
        /// The shortest time from one use of a port to its next, in seconds.
        public var shortestSeconds: Double?
    }
}
