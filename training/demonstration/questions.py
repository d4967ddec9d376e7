"""Questions about the demonstration library, with the value and the file that answer them.

`says` are words that stand, letter for letter, where the answer is; the page or the second follows
from them when the library is written.
"""

from __future__ import annotations

_ASKED = """
How much is the deposit for Lindenstrasse 12? | 1880 euros | Documents/Flat/Lease Lindenstrasse 12.pdf | The deposit for Lindenstrasse 12 is 1880 euros
How much is the rent for Lindenstrasse 12? | 940 euros | Documents/Flat/Lease Lindenstrasse 12.pdf | The monthly rent for Lindenstrasse 12 is 940 euros
How long is the notice period for Lindenstrasse 12? | 3 months | Documents/Flat/Lease Lindenstrasse 12.pdf | The notice period for Lindenstrasse 12 is 3 months
How many keys come with Lindenstrasse 12? | 4 keys | Documents/Flat/Lease Lindenstrasse 12.pdf | receives 4 keys
Which parking place belongs to Lindenstrasse 12? | 7 | Documents/Flat/Lease Lindenstrasse 12.pdf | Parking place 7
In which month is the heating in Lindenstrasse 12 switched on? | October | Documents/Flat/Lease Lindenstrasse 12.pdf | is switched on in October
How much does the repair of the boiler cost? | 260 euros | Documents/Flat/Letter from the landlord.pdf | The repair of the boiler costs 260 euros
When is the plastic waste collected? | Wednesday | Documents/Flat/House rules.md | The plastic waste is collected on Wednesday
What is the phone number of the plumber? | 5582 | Documents/Flat/House rules.md | The phone number of the plumber is 5582
When does the electrician repair the lift? | Tuesday | Documents/Flat/Notice in the hall.pdf | The electrician repairs the lift on Tuesday
When do we arrive in Lisbon? | 12 June | Documents/Trips/Trip to Lisbon.pdf | We arrive in Lisbon on 12 June
At which gate does the flight to Lisbon board? | 22 | Documents/Trips/Trip to Lisbon.pdf | boards at gate 22
In which hotel do we stay in Lisbon? | Sea View | Documents/Trips/Trip to Lisbon.pdf | Our hotel in Lisbon is the Sea View
When is the ship museum in Lisbon closed? | Monday | Documents/Trips/Trip to Lisbon.pdf | The ship museum in Lisbon is closed on Monday
When does the train to Oslo leave? | 6:45 | Documents/Trips/Weekend in Oslo.md | The train to Oslo leaves at 6:45
Who packs the camera for Lisbon? | Tom | Documents/Trips/Packing list.txt | Tom packs the camera for Lisbon
Who leads the website? | Paula | Documents/Work/Minutes 12 March.pdf | Paula leads the website
From which company do we order the laptops? | North Star | Documents/Work/Minutes 12 March.pdf | We order the laptops from North Star
What is the total of invoice 412? | 8640 euros | Documents/Work/Invoice 412 North Star.pdf | The total of invoice 412 is 8640 euros
When is invoice 412 due? | 28 March | Documents/Work/Invoice 412 North Star.pdf | Invoice 412 is due on 28 March
Who joins the support team? | Sofia | Documents/Work/Minutes 9 April.md | Sofia joins the support team
From which platform does the train to Munich leave? | 14 | Documents/Work/Trade fair.txt | The train to Munich leaves from platform 14
How long does the apple cake bake? | 45 minutes | Documents/Home/Apple cake.md | Bake the apple cake for 45 minutes
How often must the filter of the coffee machine be cleaned? | 6 weeks | Documents/Home/Manual coffee machine.pdf | Clean the filter of the coffee machine every 6 weeks
When is the birthday of Anna? | 17 May | Documents/Home/Birthdays.txt | The birthday of Anna is on 17 May
To whom did I lend the ladder? | Robert | Documents/Home/Lent and borrowed.txt | I lent the ladder to Robert
When does the plumber repair the boiler? | Thursday | Recordings/Call with the landlord.ogg | The plumber repairs the boiler on Thursday
How much is the budget for the trade fair? | 5400 euros | Recordings/Meeting trade fair.mp3 | The budget for the trade fair is 5400 euros
Who writes the speech? | Emma | Recordings/Meeting trade fair.mp3 | Emma writes the speech
To whom did I lend the drill? | Felix | Recordings/Note drill.wav | I lent the drill to Felix
When is the appointment with the dentist? | Tuesday | Recordings/Dentist.ogg | The appointment with the dentist is on Tuesday
On which date is the wedding? | 15 August | Recordings/Voicemail from Anna.mp3 | The wedding in Vienna is on 15 August
What colour will the nursery be painted? | yellow | Recordings/Idea for the nursery.flac | The nursery will be painted yellow
Where did I put the passport? | office | Recordings/Where I put things.ogg | the passport in the office
Who looks after the cat? | Maria | Recordings/Minka and the holidays.ogg | Maria looks after the cat
What colour is the bicycle? | red | Pictures/Summer/Sunday ride.jpg | red bicycle
What is above the dog? | purple kite | Pictures/Summer/Windy afternoon.jpg | purple kite above
"""  # noqa: E501 - one question a line

QUESTIONS: tuple[dict[str, str], ...] = tuple(
    dict(zip(("question", "value", "path", "says"), map(str.strip, line.split("|")), strict=True))
    for line in _ASKED.strip().splitlines()
)

# Nothing in the library answers these, though much of it comes near.
ABSENT = (
    "How much is the deposit for Garden Street 5?",
    "When does the train to Madrid leave?",
    "Who writes the newsletter?",
    "What is the phone number of the roofer?",
    "When does the carpenter repair the fence?",
    "How long is the warranty of the blender?",
)

# What one would type, and the file one would hope for.
SEARCHES = (
    ("red bicycle", "Pictures/Summer/Sunday ride.jpg"),
    ("yellow umbrella on the beach", "Pictures/Summer/Beach in June.jpg"),
    ("white boat", "Pictures/Summer/Off the coast.webp"),
    ("black cat on a blue chair", "Pictures/Home/Minka.jpg"),
    ("red house in the snow", "Pictures/Winter/First snow.jpg"),
    ("three red balloons", "Pictures/Summer/Fair.webp"),
    ("yellow bus", "Pictures/Town/Way to school.jpg"),
    ("closed on monday", "Pictures/Town/Bakery door.jpg"),
    ("chart of visitors", "Pictures/Work/Visitors.png"),
    ("drill lent", "Recordings/Note drill.wav"),
    ("dentist appointment", "Recordings/Dentist.ogg"),
    ("repair of the boiler", "Recordings/Call with the landlord.ogg"),
    ("nursery colour", "Recordings/Idea for the nursery.flac"),
    ("Which day will the heating system be fixed?", "Documents/Flat/Letter from the landlord.pdf"),
    ("How long does the fruit pie stay hot?", "Documents/Home/Apple cake.md"),
    ("invoice 412 total", "Documents/Work/Invoice 412 North Star.pdf"),
    ("hotel in Lisbon", "Documents/Trips/Trip to Lisbon.pdf"),
)
