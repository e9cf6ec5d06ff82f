public import WeirWire

/// Something that a toxic did to a flow, other than what it did to chunks.
public struct ToxicRecord: Hashable, Sendable {
    /// The possible effects.
    public enum Effect: Hashable, Sendable {
        /// The flow has met the toxic, which acts or not, as the draw with its toxicity decided.
        case met(acts: Bool)
        /// The toxic's settings have changed, and the draw was repeated.
        case changed(acts: Bool)
        /// The toxic was removed.
        case removed
        /// The toxic ends the flow: both sides get an end after their last byte.
        case closed
        /// The toxic resets both sides.
        case reset
    }

    /// Whether a flow meets a toxic for the first time, or again after a change.
    enum Meeting { case met, changed }

    /// The direction of the bytes to which the toxic applies.
    public var direction: Direction
    /// The name of the toxic.
    public var name: String
    /// The name of its type.
    public var type: String
    /// The effect on the flow.
    public var effect: Effect

    /// Creates a record.
    public init(direction: Direction, name: String, type: String, effect: Effect) {
        self.direction = direction
        self.name = name
        self.type = type
        self.effect = effect
    }

    /// Quotes a name that the user gave, with `_` for anything but visible ASCII: without blanks `text2pcap` takes no
    /// part of it for an offset, and nothing in it can control a terminal.
    package static func quoted(_ name: String) -> String {
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
