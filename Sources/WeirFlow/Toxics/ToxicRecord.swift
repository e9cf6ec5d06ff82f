public import WeirWire

/// Says what a toxic did to a flow, beside what it did to chunks.
public struct ToxicRecord: Hashable, Sendable {
    /// Lists what can happen.
    public enum Effect: Hashable, Sendable {
        /// The flow has met the toxic, which acts, or not: the draw of its toxicity said so.
        case met(acts: Bool)
        /// The toxic's settings have changed, and the draw was made again.
        case changed(acts: Bool)
        /// The toxic was taken away.
        case removed
        /// The toxic ends the flow: both sides get an end behind their last byte.
        case closed
        /// The toxic resets both sides.
        case reset
    }

    /// Tells a first meeting from one after a change.
    enum Meeting { case met, changed }

    /// Says which way the bytes run that it is put on.
    public var direction: Direction
    /// Names the toxic.
    public var name: String
    /// Names its type.
    public var type: String
    /// Says what it did.
    public var effect: Effect

    /// Makes a record.
    public init(direction: Direction, name: String, type: String, effect: Effect) {
        self.direction = direction
        self.name = name
        self.type = type
        self.effect = effect
    }

    /// Quotes a name that the user gave: no blank stands in it, so that `text2pcap` takes no part of it for an offset, and
    /// nothing that steers a terminal.
    static func quoted(_ name: String) -> String {
        "'" + String(name.unicodeScalars.map { (0x21...0x7E).contains($0.value) ? Character($0) : "_" }) + "'"
    }

    init(_ entry: ToxicSet.Entry, _ effect: Effect) {
        self.init(
            direction: entry.direction,
            name: entry.name,
            type: entry.configuration.type,
            effect: effect
        )
    }
}
