/// A place in a table, and its generation.
struct Slot: Hashable {
    var place: Int
    var generation: UInt32
}

/// Elements at places that stay the same for their life; a place's generation distinguishes its successive elements.
struct SlotTable<Element> {
    private var elements: [Element?] = []
    private var generations: [UInt32] = []
    private var free: [Int] = []
    /// The places of the elements that have numbers, and the numbers by their places.
    private var places: [UInt64: Int] = [:]
    private var numbers: [UInt64?] = []
    /// The number of elements.
    private(set) var count = 0

    /// Finds a free place for an element that is to be made; `put` must follow.
    mutating func reserve() -> Slot {
        let place = free.popLast() ?? elements.count
        if place == elements.count {
            elements.append(nil)
            generations.append(0)
            numbers.append(nil)
        }
        return Slot(place: place, generation: generations[place])
    }

    /// Puts a new element at its place.
    ///
    /// - Parameters:
    ///   - element: The element.
    ///   - slot: The place, from `reserve`.
    ///   - number: The flow's number, which no other element has; `find` uses it.
    mutating func put(_ element: Element, at slot: Slot, numbered number: UInt64? = nil) {
        elements[slot.place] = element
        if let number {
            numbers[slot.place] = number
            places[number] = slot.place
        }
        count += 1
    }

    mutating func remove(at place: Int) {
        guard elements[place] != nil else { return }
        elements[place] = nil
        if let number = numbers[place] {
            numbers[place] = nil
            places[number] = nil
        }
        generations[place] = (generations[place] + 1) & 0xFF_FFFF
        free.append(place)
        count -= 1
    }

    /// Returns the element with a number, without a search through the others.
    func find(_ number: UInt64) -> Element? { places[number].flatMap { elements[$0] } }

    /// Returns the element for which a token was made, if it is still there.
    subscript(token: Token) -> Element? {
        let place = token.place
        return place < elements.count && generations[place] == token.generation ? elements[place] : nil
    }

    /// Returns the element at a place.
    subscript(place: Int) -> Element? { elements[place] }

    /// All elements.
    var all: [Element] { elements.compactMap { $0 } }
}
