"""How assistants decline without "I cannot": in the passive, and by limits of their own; patterns, no weights.

`decline_phrases` says how the patterns are written.
"""

from msgspec import Struct

from .languages import Language

_UNSPACED: frozenset[Language] = frozenset({"zh", "ja", "ko"})


class Limits(Struct, frozen=True, kw_only=True):
    """A sentence declines that says that a ``matter`` ``cannot_be`` ``done``, in any of the usual word orders, or ``own``.

    ``matter`` is help, or content that the sentence points at ("such texts"); ``own`` are limits of the assistant
    itself: a missing right or access, what it is for, what it was told; ``lacks`` says that what was retrieved does
    not hold the answer.
    """

    matter: str
    cannot_be: str
    done: str
    own: str
    lacks: str


def declining(language: Language) -> str:
    """A pattern for what declines by the limits of the assistant."""
    parts = LIMITS[language]
    matter, cannot_be, done = (f"(?:{part})" for part in (parts.matter, parts.cannot_be, parts.done))
    if language in _UNSPACED:
        return f"{matter}.{{0,8}}{cannot_be}.{{0,4}}{done}|{matter}.{{0,8}}{done}.{{0,2}}{cannot_be}|{parts.own}"
    few = "(?: [^ ,\n]+){0,4}"
    orders = (
        (matter, cannot_be, done),
        (cannot_be, matter, done),
        (cannot_be, done, matter),
        (matter, done, cannot_be),
    )
    return "|".join(" " + f"{few} ".join(order) + "(?: |$)" for order in orders) + "|" + parts.own


LIMITS: dict[Language, Limits] = {
    "en": Limits(
        matter=r"(?:such|(?:this|that|these|those)"
        r"(?: (?:kind|type|sort)s? of)?) (?:\w+ )?(?:content|material|information|instructions?|advice|requests?|questions?|texts?|topics?|"
        r"details)|(?:instructions|help|assistance|advice|guidance) (?:for|on|with|about) (?:this|that|it|such)",
        cannot_be=r"(?:cannot|can't|can not|may not|will not|won't|must not) be",
        done=r"given|provided|offered|generated|created|produced|written|shared|disclosed|revealed|discussed|answered|addressed|communicated|released|passed on|"
        r"fulfilled|supplied|supported|accommodated|made",
        own=(
            r" no (?:help|assistance|advice|guidance|instructions?|comments?|opinion|recommendations?)(?: [^ ,]+){0,5} (?:can|will|may) be (?:given|provided|offered|made) | (?:such|these|those|this kind of) (?:requests?|questions?|topics?) (?:are not|aren't|is not|isn't) (?:supported|answered|accommodated|handled) (?:here |by |in this |$)|"
            r" (?:we|i) (?:can't|cannot|can not|won't|will not) (?:provide|give|share|disclose|reveal|release) (?:(?:a|an|the|any|his|her|their|someone's|anyone's) )?(?:home|email|phone|personal|private|confidential) (?:address|number|details|data|information)\S* | i (?:can't|cannot|can not|won't|will not|am unable to|am not able to) (?:\w+ly )?(?:view|open|read|access|download) (?:attachments|files|images|links|pictures|documents|websites|emails) | (?:won't|cannot|can't|will not) endorse | (?:haven't|have not|hasn't|wasn't|was not) (?:been )?(?:given|granted) access | (?:falls? |lies? )?(?:outside|beyond) the (?:\w+ )?(?:topics|subjects|questions|tasks|areas|matters) (?:that |which )?(?:i|we) (?:can|am|are|cover|handle) | is off the table (?:for (?:me|us) )?$| would be (?:irresponsible|unethical|inappropriate|wrong|improper) (?:of|for) (?:me|us) to |"
            r" (?:i|we)(?: \w+ly)? (?:do not|don't) (?:respond to|answer|discuss|comment on|advise on|take|handle|deal with|accept)(?: \w+){0,2} (?:questions?|topics?|requests?|enquiries|inquiries|matters|complaints|subjects?) | (?:i was|i've been|i have been|i am|i'm|we were|we've been) (?:told|asked|instructed|directed|configured|programmed|trained) (?:not to|to (?:avoid|refuse|decline|stay away)) | (?:so|and) i(?: am|'m) (?:unable|not able) to (?:say|answer|tell|help) |"
            r" i(?: \w+ly)? (?:don't have|do not have|have no|haven't) (?:any |the )?(?:authority|authori[sz]ation|permission|mandate|clearance|right) to "
            r"| (?:not|isn't) (?:with)?in (?:my|our) (?:mandate|power|remit|brief) |^ (?:requests|questions|enquiries) (?:like|of) (?:this|that|these)(?: (?:kind|sort|type))? are (?:refused|"
            r"declined|rejected|not answered) | i(?: \w+ly)? (?:don't|do not) (?:discuss|disclose|reveal|comment on|speculate) "
            r"| i(?: \w+ly)? (?:don't|do not) (?:\w+ly )?have (?:any |direct |live |real-time |the )*(?:access|ability|means|tools|"
            r"authority|permission|authori[sz]ation|visibility|clearance) (?:to|into|for|of) (?:view|see|look|open|check|browse|read|send|make|"
            r"do|your|any|that|this|such|those|these|live|current|real-time|personal|private|external|internal|the internet|other|his|her|their) "
            r"| i(?: \w+ly)? have no (?:\w+ )?(?:way|means|access|ability|authority|permission|visibility) (?:of|to|into) (?:viewing|seeing|looking|"
            r"opening|checking|browsing|reading|knowing|view|see|look|open|check|browse|read|your|any|that|this|such|those|live|current|real-time|"
            r"personal|private|external|internal|the internet) "
            r"| (?:i|we)(?: \w+ly)? lack (?:the |any )?(?:ability|abilities|access|authority|means|permission|capability|tools|clearance) "
            r"| (?:is|are|falls?|seems?|'s)(?: \w+ly)? (?:out of|outside|beyond) (?:the )?scope |^ (?:that|this|it)'s(?: \w+ly)? (?:out of|"
            r"outside|beyond) (?:the )?scope "
            r"| not (?:something|anything) (?:that |which )?(?:i|we|this (?:assistant|chat|chatbot|bot|service)) (?:\w+ly )?(?:supports?|do|does|"
            r"handles?|offers?|covers?|discuss|provides?) "
            r"| (?:not|isn't) (?:with)?in (?:my|our) (?:power|gift|capacity|control) (?:to|,|$)| beyond (?:my|our) (?:power|reach|control|ability) "
            r"| (?:have to|must|need to|going to|i'll|i will)(?: \w+ly)? (?:pass on (?:this|that|it|your)(?: one| request)? |turn (?:this|that|it|your request|you)(?: one| request)? down"
            r"|turn down (?:this|that|your)|pass(?: one)? $) "
            r"| (?:i'm|i am|we're|we are) not (?:at liberty|entitled|cleared|in a position|the right (?:person|assistant|place|contact)) (?:to|for) "
            r"| (?:i|we) (?:can't|cannot|can not|won't|will not|may not|am unable to|are unable to) (?:\w+ly )?(?:comment|speculate|opine|take a position|take sides)(?: on| about| $)"
            r"| (?:not|isn't|aren't) (?:a )?part of (?:my|our|this assistant's) "
            r"| (?:i|we) (?:won't|will not)(?: \w+ly)? be (?:able to )?(?:help|assist|writ|provid|shar|answer|generat|creat|discuss|giv|comment|"
            r"produc|respond|engag|participat|offer|do)\w* "
            r"| (?:this|the|our) (?:\w+ )?(?:assistant|chatbot|bot|chat) (?:is not|isn't|was not|wasn't|is neither)(?: \w+ly)? (?:designed|built|"
            r"intended|meant|made|trained|able|authori[sz]ed|permitted|allowed|set up|equipped) (?:to|for) "
            r"| (?:i|we) (?:aren't|wasn't|weren't|ain't)(?: \w+ly)? (?:permitted|allowed|authori[sz]ed|equipped|designed|built|meant|intended|trained|"
            r"programmed|qualified|able|set up|willing|prepared|comfortable|in a position|supposed|licensed) (?:to|for|with|in) "
            r"| (?:not|isn't|aren't) comfortable (?:\w+ly )?(?:help|writ|provid|shar|answer|generat|creat|discuss|giv|produc|do|with (?:that|this|it))\w* "
            r"| (?:isn't|not) (?:something|anything) (?:that )?(?:i'm|i am|we're|we are) (?:\w+ly )?(?:able|allowed|permitted|willing|comfortable|going|designed|prepared) "
            r"| (?:isn't|not) something (?:this|our) (?:service|assistant|chat|chatbot|bot) (?:can |will )?(?:do|does|offer|offers|provide|provides|support|supports) "
            r"| outside (?:of )?what (?:this|our) (?:assistant|service|chat|bot|chatbot) |^ (?:nope|nah) ,? (?:i )?(?:can't|cannot|won't) (?:do )?(?:that|this|it)? ?$"
            r"|^ the assistant (?:declines|refuses) to | this (?:\w+ )?(?:assistant|chatbot|bot|model)(?: \w+ly)? (?:declines|refuses|must decline|has to decline) "
            r"|^ (?:answering|discussing|providing|writing|sharing|doing|giving|helping|assisting)(?: [^ ,]+){0,5} (?:would|is) (?:be )?(?:not "
            r"be )?(?:inappropriate|unethical|irresponsible|against|a violation|not appropriate|not possible|outside|beyond) "
            r"| (?:my|our) (?:training|programming|settings|configuration|instructions|developers?|design) (?:does not|doesn't|do not|don't|will not|"
            r"won't) (?:allow|permit|let|support) | (?:my|our|this) (?:\w+ )?(?:assistant|chatbot|bot) (?:has been|was|is) (?:instructed|told|configured) (?:not )?to "
            r"(?:avoid|refuse|decline|answer|discuss|stay) | i (?:cannot|can't|can not|am unable to|'m unable to|am not able to) (?:\w+ly )?(?:browse|surf|search "
            r"(?:the|online)|open (?:links|files|attachments|urls)|access (?:the|your|external|live|real-time)|watch|listen) "
            r"| against (?:company|our|my|the) (?:\w+ )?policy (?:for (?:me|us) )?to | (?:doesn't|does not|don't|do not|wouldn't) feel right (?:about )?(?:help|writ|provid|giv|shar|answer|assist|to )"
        ),
        lacks=r" (?:isn't|is not|aren't|are not) (?:enough|sufficient) (?:information|context|detail|data)(?: [^ ,\n]+){0,4} to (?:answer|respond|say) ",
    ),
    "de": Limits(
        matter=r"(?:auskunft|auskünfte|hilfe|hilfestellung|unterstützung|\S*beratung|stellungnahme|ratschläge|(?:solche|derartige|diese|dieser|"
        r"dieses|diesem)[nrs]? (?:art (?:von )?)?(?:[^ ,]+ )?(?:\S*anleitung\S*|inhalte?n?|informationen|anfragen?|\S*fragen?|texte?|themen?|wünsche))",
        cannot_be=r"(?:kann|können|darf|dürfen)(?: (?:leider|hier|jedoch|ich|wir|von mir|von uns|an dieser stelle|hierzu|dazu|dafür))*"
        r" (?:nicht|keine?[rsnm]?)",
        done=r"(?:bereitgestellt|mitgeteilt|kommentiert|gegeben|abgegeben|erteilt|unterstützt|erstellt|beantwortet|angeboten|erzeugt|generiert|geleistet|behandelt|"
        r"weitergegeben|geteilt|offengelegt|besprochen|herausgegeben|verfasst|gewährt)(?: werden)?",
        own=(
            r" (?:derartige|solche|diese) (?:an)?fragen werden (?:[^ ,]+ )?nicht (?:unterstützt|beantwortet|bearbeitet) |"
            r" (?:wir|ich) (?:beantworten|beantworte|behandeln|behandle|kommentieren|kommentiere|besprechen|bespreche|geben|gebe|erteilen|erteile) (?:[^ ,]+ )?(?:keine|nicht) (?:[^ ,]+ ){0,2}(?:\S*fragen|themen|anfragen|auskünfte|auskunft|\S*ratschläge|\S*beratung|ratschlag|\S*rat) | (?:über|zu|auf)(?: [^ ,]+){1,3} (?:soll|darf) ich nicht (?:sprechen|reden|eingehen|antworten) | (?:wurde ich|ich wurde|bin ich|ich bin) (?:angewiesen|gebeten|instruiert) ,? | (?:das|so etwas|sowas|dergleichen) (?:mache|tue|schreibe|erstelle) ich nicht |"
            r" (?:(?:habe|besitze|verfüge) ich|ich (?:habe|besitze|verfüge))… keine[nr]? (?:[^ ,]+ )?(?:zugriff|"
            r"zugang|befugnis|berechtigung|möglichkeit|erlaubnis|einblick|einsicht) | (?:haben wir|wir haben)… keine (?:[^ ,]+ )?(?:befugnis|berechtigung|erlaubnis) "
            r"| (?:meine|unsere) (?:programmierung|einstellungen|vorgaben|konfiguration) (?:lässt|lassen|erlaubt|erlauben|gestattet|gestatten)… nicht "
            r"| ich (?:kann|darf)(?: [^ ,]+)? nicht (?:im internet|auf (?:das internet|externe|ihre|deine)|ins internet) | (?:würde|möchte) ich… lieber (?:nichts|nicht) | ich (?:würde|möchte)… lieber (?:nichts|nicht) "
            r"| (?:(?:bin|sind|wurde) (?:ich|wir)|(?:ich|wir) (?:bin|sind|wurde))… nicht… (?:ausgelegt|gedacht|konzipiert|vorgesehen|trainiert|"
            r"programmiert|entwickelt|gemacht|entworfen|befugt|berechtigt|zuständig|autorisiert|ermächtigt) "
            r"| (?:dieser|dieses|der) (?:assistent|chat|chatbot|bot|sprachassistent|system)… (?:nicht|keine\S*)… (?:gedacht|ausgelegt|konzipiert|"
            r"vorgesehen|entwickelt|behandeln|beantworten|geben|beraten|zuständig) "
            r"| (?:kann|darf|wird) (?:dieser|der) (?:assistent|chat|chatbot|bot) (?:leider )?(?:nicht|keine\S*) "
            r"| (?:gehört|gehören|fällt|fallen|zählt)… nicht (?:zu|in|unter) (?:meine|unsere)[nmrs]? "
            r"| (?:liegt|liegen|fällt|geht)… (?:außerhalb|ausserhalb|über)… (?:zuständigkeit\S*|aufgaben\S*|kompetenz\S*|möglichkeiten|rahmen\S*|"
            r"dienstes|fachgebiet\S*) (?:hinaus )?"
            r"| (?:solche|derartige|diese art|so etwas|sowas|dergleichen)(?: [^ ,]+){0,4} (?:erstelle|schreibe|verfasse|erzeuge|liefere|gebe|"
            r"beantworte|mache|generiere|unterstütze|diskutiere) (?:ich|wir)(?: [^ ,]+)? nicht "
            r"| (?:mir|uns) (?:ist|wurde)(?: es)? (?:[^ ,]+ )?(?:untersagt|verboten|nicht (?:gestattet|erlaubt|möglich)) | ist (?:es )?(?:mir|uns)(?: "
            r"[^ ,]+){0,2} (?:untersagt|verboten|nicht (?:gestattet|erlaubt|möglich)) "
            r"| (?:sehe|sehen) (?:ich )?mich (?:[^ ,]+ )?gezwungen… (?:abzulehnen|ablehnen) | (?:solche\S*|derartige\S*) (?:[^ ,]+ )?lehnen wir ab |^ \S+ dieser art (?:lehnen|lehne|beantworten|beantworte) (?:wir|ich) (?:ab|nicht) "
            r"| ich habe nicht (?:die|das) (?:[^ ,]+ )?(?:befugnis|recht|berechtigung|möglichkeit|erlaubnis) | (?:beteilige|beteiligen) (?:ich mich|wir uns) nicht | ich beteilige mich nicht "
            r"| (?:bin|sind) (?:ich|wir) (?:leider )?nicht (?:der|die) (?:richtige|passende)\S* | ich bin (?:leider )?nicht (?:der|die) (?:richtige|passende)\S* "
            r"| (?:muss|müssen) (?:ich|wir)… passen $"
        ),
        lacks=(
            r" (?:kontext|dokument\S*|unterlagen|quellen?|texten?|artikeln?)… (?:findet|finden|steht|stehen|gibt|geht|lässt|lassen)… (?:nicht|nichts|"
            r"keine?\S*) | (?:lässt|lassen) sich… (?:kontext|dokument\S*|unterlagen|quellen?|text)… nicht beantworten "
        ),
    ),
    "fr": Limits(
        matter=r"(?:aucune? (?:aide|assistance|conseil|consigne|commentaire|renseignement|instruction|avis)|(?:ce (?:type|genre) d(?:e |'|e telles? )|de tels |de telles |cette |ce |ces )"
        r"(?:[^ ,]+ )?(?:contenus?|informations?|instructions?|conseils?|demandes?|questions?|textes?|sujets?))",
        cannot_be=r"ne (?:peut|peuvent|pourra|saurait)",
        done=r"(?:pas )?(?:possible de (?:donner|fournir|répondre|apporter|proposer)|(?:être )?(?:générée?s?|fournie?s?|donnée?s?|apportée?s?|"
        r"divulguée?s?|partagée?s?|créée?s?|produite?s?|communiquée?s?|abordée?s?|rédigée?s?|faite?s?|prise?s? en charge|acceptée?s?|supportée?s?))",
        own=(
            r" (?:ce (?:type|genre) de|de telles?|cette|ces) (?:demandes?|questions?) (?:n'est|ne sont) pas (?:prise?s? en charge|traitées?|acceptées?) |"
            r" je n'(?:écri|élabore|encourage|offri|apporte|approuve|émett|aide)rai (?:pas|aucune?) |"
            r" (?:nous|je) ne (?:répondons|réponds|traitons|traite|commentons|commente|discutons|discute) pas (?:[^ ,]+ )?(?:aux?|à|les|des|de|ce|cette|ces)(?: [^ ,]+)? (?:questions?|demandes?|sujets?|requêtes?|affaires?) | (?:on m'a|il m'a été) (?:[^ ,]+ )?(?:demandé|ordonné|dit) de (?:ne pas|refuser|m'abstenir) | j'ai (?:pour|reçu) (?:consigne|instruction|ordre) de ne pas |"
            r" je n'ai(?: [^ ,]+)? ?(?:pas|aucun|aucune)(?: [^ ,]+){0,2} (?:accès|moyen|possibilité|droit|autorisation|habilitation|"
            r"d'accès|capacité|faculté) | (?:ma|mon|mes) (?:programmation|configuration|entraînement|paramètres) ne (?:me )?(?:le |l')?(?:[^ ,]+ )?(?:permet|permettent|autorise)… pas "
            r"| (?:ma|mon|mes) (?:programmation|configuration|entraînement|paramètres) ne… pas | je ne peux pas (?:naviguer|surfer|accéder|consulter|ouvrir|chercher) "
            r"| je n'ai pas été (?:entraînée?|conçue?|programmée?|formée?|autorisée?) | je ne dispose (?:pas|d'aucun\S*)… (?:accès|d'accès|moyens?|moyen|droit|autorisation|outils?) "
            r"| (?:cet|cette|ce|l') ?(?:assistante?|chatbot|robot|chat|agent conversationnel) n'est pas (?:[^ ,]+ )?(?:conçue?|destinée?|prévue?|"
            r"fait|habilitée?|autorisée?|programmée?) "
            r"| (?:je|nous) (?:réponds|répondons|traite|traitons|aide) (?:uniquement|exclusivement|seulement) "
            r"| (?:je|nous) ne (?:réponds|répondons|traite|traitons)(?: [^ ,]+){0,2} (?:qu'aux?|que les|que des) "
            r"| (?:nous (?:est|a été)|m'est|m'a été|lui est) (?:[^ ,]+ )?(?:interdit|défendu|impossible) | (?:ne m'|ne nous )(?:est|a) pas (?:[^ ,]+ )?"
            r"(?:permis|possible|autorisé) | n'est pas (?:de mon|dans (?:mon|mes|nos|le)|de notre)(?: [^ ,]+)? (?:ressort|pouvoir|compétences?|"
            r"attributions?|cadre|capacités) | (?:dépasse|sort d|excède|hors d)… (?:service|compétences?|périmètre|domaine|rôle|capacités) "
            r"| nous ne (?:donnons|fournissons|proposons|dispensons|traitons|abordons) pas (?:de |d'|ce |cette )?(?:conseils?|avis|consultations?|"
            r"sujets?|questions?|thème|contenus?|\S+ (?:juridiques?|médicaux)) "
            r"| je ne (?:participer|fournir|donner|partager|révéler|discuter|commenter|soutiendr|créer|générer|divulguer|répondr|aborder|rédiger|traiter)ai pas "
            r"| je n'ai pas (?:le|la|l'|les) ?(?:[^ ,]+ )?(?:pouvoir|droit|faculté|compétences?|autorité|mandat) |^ (?:les|ces) (?:demandes|questions) de (?:cette nature|ce type|ce genre) (?:sont "
            r"(?:refusées|rejetées)|ne sont pas) | ne (?:peut|peuvent) être (?:divulguée?s?|communiquée?s?|révélée?s?|partagée?s?) | je n'(?:écri|élabore|encourage|aborde|aide|exécute)rai pas (?:ce|cette|ces|de tels?|de telles?|ça|cela) | je ne suis pas (?:à l'aise|là pour|censée?|supposée?|équipée?|prévue?) | (?:nous|je) (?:devons|dois|sommes (?:contraints|obligés|forcés|tenus) de|préférons)(?: [^ ,]+)? (?:refuser|décliner|rejeter) "
            r"| (?:ne font|ne fait|ne relèvent|ne relève|n'entrent|n'entre) pas (?:partie )?(?:de|dans) (?:mes|mon|ma|nos|notre) "
            r"| (?:je ne suis|nous ne sommes) pas (?:en droit|en position|en mesure|à même|habilités?|le bon interlocuteur) | me garder(?:ai|ais) de "
        ),
        lacks=(
            r" (?:contexte|documents?|sources?|passages?)… ne (?:permet|permettent|suffit|suffisent)(?: [^ ,]+)? ?pas "
            r"| (?:ne|n')(?: ?[^ ,]+){1,2} (?:pas|aucune?|rien)… (?:fournis|transmis|ci-dessus) $"
        ),
    ),
    "es": Limits(
        matter=r"(?:ayuda|asistencia|asesoramiento|orientación|(?:ningún|ningun) comentario|consejos?|(?:es[ea]|est[ea]|es[oa]s|est[oa]s|tal|tales)(?: (?:tipo|clase) de)? "
        r"(?:[^ ,]+ )?(?:contenidos?|información|instrucciones|solicitud(?:es)?|peticion(?:es)?|preguntas?|textos?|temas?))",
        cannot_be=r"no (?:se )?(?:puede|pueden|podrá|podrán|es posible|resulta posible)",
        done=r"(?:ser )?(?:generarse|darse|ofrecerse|proporcionarse|crearse|compartirse|revelarse|ofrecer|dar|proporcionar|generar|prestar|brindar|"
        r"compartir|generad[oa]s?|proporcionad[oa]s?|ofrecid[oa]s?|comunicad[oa]s?|revelad[oa]s?|divulgad[oa]s?|cread[oa]s?|compartid[oa]s?|facilitar|contestarse|responderse|hacer)",
        own=(
            r" (?:es[ea]s?|est[ea]s?|tales)(?: tipo de)? (?:peticion(?:es)?|petición|solicitud(?:es)?|preguntas?) no (?:está|están|es|son) (?:soportad|admitid|atendid)[oa]s? |"
            r" no (?:respondemos|respondo|contestamos|contesto|tratamos|trato|comentamos|comento|atendemos|atiendo)(?: [^ ,]+){0,2} (?:preguntas?|consultas?|temas?|peticiones|solicitudes|asuntos) | (?:me han|se me ha|me ha) (?:[^ ,]+ )?(?:pedido|ordenado|indicado|dicho|instruido)(?: que| para)? no | tengo instrucciones de no |"
            r" (?:mi|mis) (?:programación|configuración|entrenamiento|ajustes) no (?:me )?(?:lo )?(?:permite|permiten) | no me han (?:entrenado|diseñado|programado|autorizado) "
            r"| no puedo (?:navegar|acceder|buscar|abrir|consultar) (?:por|en|a|internet|archivos|enlaces) | no (?:tengo|dispongo|poseo|cuento)(?: (?:de|con|el|la|un|una|ningún|ninguna|los|forma|directo))* (?:acceso|medios?|"
            r"manera|modo|forma|capacidad|autoridad|autorización|herramientas|facultad(?:es)?) (?:de|a|al|para|directo|$)"
            r"| (?:este|esta|el presente) (?:asistente|chatbot|chat|bot|robot) no (?:está|fue|ha sido|puede) (?:[^ ,]+ )?(?:diseñad[oa]|pensad[oa]|destinad[oa]|"
            r"autorizad[oa]|preparad[oa]|programad[oa]|responder|ofrecer|dar|tratar|hablar) "
            r"| (?:tengo|tenemos) prohibido | (?:me|nos) (?:está|es|resulta|ha sido) (?:[^ ,]+ )?(?:prohibido|imposible|vetado) | no (?:me|nos) (?:está|es|resulta) "
            r"(?:[^ ,]+ )?(?:permitido|posible) | (?:debemos|tenemos que|nos vemos obligad[oa]s a|hemos de) (?:rechazar|declinar|denegar|negarnos)\S* | no forma(?:n)? parte de (?:mis?|nuestr[oa]s?) "
            r"| no (?:te |le |les |os )?(?:participar|ayudar|responder|escribir|dar|ofrecer|compartir|revelar|comentar|generar|crear|redactar|discutir|colaborar)é "
            r"| no está en (?:mis|mi|nuestras?) (?:manos?|poder|capacidad) "
            r"| no (?:estamos|estoy) (?:[^ ,]+ )?(?:autorizados?|facultados?|habilitados?|capacitados?|cómod[oa]) | no (?:estamos|estoy) en (?:condiciones|posición) "
            r"| (?:se sale|sale|queda|está|cae) (?:[^ ,]+ )?(?:fuera)? ?(?:de|del) (?:mi|mis|nuestro|ámbito|alcance)… "
            r"| no (?:damos|ofrecemos|brindamos|prestamos|proporcionamos|tratamos) (?:[^ ,]+ )?(?:asesor\S*|consejos?|ese|este|esos|consultas?|información|orientación) "
        ),
        lacks=(
            r" (?:contexto|documentos?|fuentes?|pasajes?)… no… (?:información|datos|respuesta|permiten?|responder) "
            r"| no hay… (?:en|dentro de) (?:el|los|las|la|estos) (?:[^ ,]+ )?(?:contexto|documentos?|fuentes?|textos?|artículos?) "
        ),
    ),
    "it": Limits(
        matter=r"(?:aiuto|assistenza|consulenz[ae]|commenti|consigli|(?:quest[oaie]|tal[ei]|simil[ei])(?: (?:tipo|genere) di)? (?:[^ ,]+ )?(?:contenut[oi]|informazion[ie]|istruzioni|"
        r"richiest[ae]|domand[ae]|test[oi]|argoment[oi])|(?:contenuti|richieste|informazioni|domande|testi) (?:di questo (?:tipo|genere)|del genere|simili))",
        cannot_be=r"non (?:può|possono|potrà|potranno|è possibile)",
        done=r"(?:essere )?(?:generat[oaie]|fornit[oaie]|dat[oaie]|offert[oaie]|comunicat[oaie]|rivelat[oaie]|rilasciat[oaie]|divulgat[oaie]|condivis[oaie]|creat[oaie]|prestat[oaie]|trattat[oaie]|"
        r"fornire|dare|offrire|prestare|generare|condividere|divulgare|rilasciare)",
        own=(
            r" (?:questo tipo di|queste|tali) (?:richieste|richiesta|domande) non (?:è|sono|viene|vengono) (?:supportat|gestit|accettat)[oaie] |"
            r" non (?:rispondiamo|rispondo|trattiamo|tratto|commentiamo|commento|affrontiamo|affronto)(?: [^ ,]+){0,2} (?:domande|richieste|argomenti|temi|questioni|quesiti) | (?:mi è stato|mi hanno) (?:chiesto|detto|ordinato|indicato) di non | ho (?:istruzioni|l'ordine|indicazione) di non |"
            r" (?:mia|mio|mie|miei) (?:programmazione|configurazione|addestramento|impostazioni) non (?:me lo |mi |lo )?(?:permett|consent)\S+ "
            r"| non (?:posso|riesco a) (?:navigare|accedere|cercare|aprire|consultare) (?:in|su|a|internet|file|link|nel|sul) | non (?:ho|dispongo)(?: (?:di|il|un|una|alcun|alcuna|nessun|diretto))* (?:accesso|modo|mezzi|possibilità|facoltà|"
            r"autorità|autorizzazione|permesso|strumenti|titolo|capacità) (?:di|a|ai|al|alla|alle|agli|per|diretto|$)"
            r"| (?:questo|quest'|questa) ?(?:assistente|chatbot|chat|bot) non (?:è|è stat[oa]|può) (?:[^ ,]+ )?(?:progettat[oa]|pensat[oa]|destinat[oa]|"
            r"autorizzat[oa]|concepit[oa]|programmat[oa]|rispondere|fornire|trattare|dare) "
            r"| (?:rispondo|rispondiamo|tratto|trattiamo|mi occupo|ci occupiamo) (?:solo|soltanto|solamente|unicamente|esclusivamente) "
            r"| (?:mi|ci) è (?:[^ ,]+ )?(?:vietato|impossibile|proibito|precluso) | non (?:mi|ci) è (?:[^ ,]+ )?(?:consentito|permesso|possibile|concesso) "
            r"| non rientra… (?:ambito|competenz\S|compit\S|servizio|funzion\S|mansion\S) | non è in mio potere | non (?:ti |la |le |vi )?(?:partecip|aiut|rispond|fornir|scriv|condivid|rivel|cre|gener|commen|discut|collabor|redig|dar)(?:e|i|o)?rò "
            r"| non ho (?:l'|il |la )(?:autorità|potere|autorizzazione|facoltà|diritto|permesso) "
            r"| (?:esula|fuoriesce|esce|trascende)… (?:da|dal|dalle|dai|dall'ambito|dell'ambito)… (?:competenz\S|ambito|compit\S|servizio|ruolo|scopo|mi[eoa]|miei|nostr\S) "
            r"| non (?:forniamo|diamo|offriamo|trattiamo|prestiamo) (?:[^ ,]+ )?(?:consulenz\S|consigli|assistenza|quest\S|informazioni|pareri) "
            r"| (?:dobbiamo|siamo costretti a|siamo tenuti a) (?:rifiutare|declinare|respingere|negare) | non (?:fa|fanno) parte (?:dei|delle|del|della) (?:mi[eao]i?|nostr[eiao]) "
            r"| (?:trovo|vedo|sono) costrett[oa] a (?:rifiut|declin|resping)\S+ "
        ),
        lacks=(
            r" (?:contesto|document[oi]|font[ei])… non… (?:informazioni|dati|risposta|permett\S+|consent\S+|rispondere) "
        ),
    ),
    "pt": Limits(
        matter=r"(?:ajuda|assistência|auxílio|aconselhamento|(?:ess[ea]|est[ea]|ess[ea]s|est[ea]s|tal|tais)(?: (?:tipo|género|gênero) de)? (?:[^ ,]+ )?(?:conteúdos?|"
        r"informaç(?:ão|ões)|instruções|pedidos?|solicitaç(?:ão|ões)|perguntas?|textos?|assuntos?))",
        cannot_be=r"não (?:se )?(?:pode|podem|poderá|poderão|é possível)",
        done=r"(?:ser )?(?:gerad[oa]s?|fornecid[oa]s?|dad[oa]s?|oferecid[oa]s?|comunicad[oa]s?|revelad[oa]s?|divulgad[oa]s?|partilhad[oa]s?|compartilhad[oa]s?|criad[oa]s?|prestad[oa]s?|"
        r"produzid[oa]s?|fornecer|dar|oferecer|prestar|gerar|partilhar|compartilhar|divulgar|comentar)",
        own=(
            r" (?:ess[ea]s?|est[ea]s?|tais)(?: tipo de)? (?:pedidos?|perguntas?|solicitações) não (?:é|são|está|estão) (?:suportad|atendid|respondid)[oa]s? |"
            r" não (?:respondemos|respondo|tratamos|trato|comentamos|comento|abordamos|abordo)(?: [^ ,]+){0,2} (?:perguntas?|pedidos?|temas?|assuntos?|questões|dúvidas) | (?:pediram-me|fui instruíd[oa]|fui orientad[oa]|disseram-me)(?: para| a)? não | tenho instruções para não |"
            r" (?:minha|minhas|meu|meus) (?:programação|configuração|configurações|treinamento|treino) não (?:me )?(?:o )?(?:permite|permitem) | não é possível (?:comentar|opinar|responder) "
            r"| não (?:posso|consigo) (?:navegar|acessar|aceder|pesquisar|abrir|consultar) (?:na|no|à|a|internet|links|arquivos) | não (?:tenho|disponho|possuo)(?: (?:de|o|a|um|uma|nenhum|nenhuma|qualquer|direto))* (?:acesso|como|meios?|forma|maneira|"
            r"capacidade|autoridade|autorização|permissão|ferramentas|poderes) (?:de|a|à|às|ao|aos|para|direto|consultar|saber|ver|verificar|aceder|acessar|$)"
            r"| (?:este|esse|esta) (?:assistente|chatbot|chat|bot|robô) não (?:se|está|foi|é|pode) (?:[^ ,]+ )?(?:destina|projetad[oa]|pensad[oa]|destinad[oa]|"
            r"autorizad[oa]|concebid[oa]|programad[oa]|feit[oa]|responder|fornecer|tratar|dar) "
            r"| (?:estou|estamos|fui|fomos|sou|somos) (?:[^ ,]+ )?proibid[oa]s? | (?:me|nos) (?:é|foi|está) (?:[^ ,]+ )?(?:proibido|vedado|impossível) "
            r"| (?:é|foi|está)-(?:me|nos) (?:[^ ,]+ )?(?:proibido|vedado|impossível|interdito) | não (?:me|nos) (?:é|foi|está) (?:permitido|possível) "
            r"| não (?:é|foi)-(?:me|nos) (?:permitido|possível) | não (?:participar|ajudar|responder|escrever|dar|fornecer|partilhar|compartilhar|revelar|comentar|gerar|criar|redigir|colaborar)ei | não está (?:ao|no) (?:meu|nosso) (?:alcance|poder) "
            r"| (?:temos (?:de|que)|devemos|precisamos) (?:recusar|declinar|rejeitar|negar) | não (?:faz|fazem) parte (?:das?|dos?) (?:minhas?|meus?|nossas?|nossos?) "
            r"| (?:foge|sai|fora|ultrapassa|excede|extrapola)… (?:âmbito|escopo|alcance|competências?|minha|meu) "
            r"| não (?:damos|oferecemos|fornecemos|prestamos|tratamos) (?:[^ ,]+ )?(?:aconselhamento|consultoria|assessoria|conselhos?|orientação|ess[ea]|dess[ea]) "
            r"| (?:sou|vejo-me|me vejo|somos|estou) (?:[^ ,]+ )?(?:obrigad[oa]s?|forçad[oa]s?) a (?:recus|declin|rejeit|neg)\S+ "
        ),
        lacks=(r" (?:contexto|documentos?|fontes?)… não… (?:informaç(?:ão|ões)|dados|resposta|permite\S*|responder) "),
    ),
    "nl": Limits(
        matter=r"(?:hulp|ondersteuning|assistentie|advies|commentaar|(?:dergelijke|zulke|deze|dit soort|dat soort) (?:[^ ,]+ )?(?:inhoud|informatie|instructies|verzoek\S*|vragen|vraag|"
        r"teksten?|onderwerpen))",
        cannot_be=r"(?:kan|kunnen|mag|mogen|zal)(?: (?:helaas|hier|hierover|er))* (?:niet|geen)",
        done=r"(?:worden )?(?:gegenereerd|gegeven|verstrekt|aangeboden|geboden|gedeeld|gemaakt|geschreven|verleend|meegedeeld|bekendgemaakt|besproken|vrijgegeven|onthuld|opgesteld|beantwoord|ondersteund)",
        own=(
            r" (?:zulke|dergelijke|deze) (?:verzoeken|vragen) worden (?:[^ ,]+ )?niet (?:ondersteund|beantwoord|behandeld) |"
            r" (?:wij|we|ik) (?:beantwoorden|beantwoord|behandelen|behandel|bespreken|bespreek) geen (?:[^ ,]+ )?(?:vragen|onderwerpen|verzoeken|zaken) | ik (?:ben|heb) (?:[^ ,]+ )?(?:geïnstrueerd|opgedragen|gevraagd|de opdracht) (?:om )?… niet | mij is (?:opgedragen|gevraagd|gezegd)… niet |"
            r" (?:mijn|onze) (?:programmering|instellingen|training|configuratie) (?:staat|staan|laat|laten)… niet toe "
            r"| ik kan(?: [^ ,]+)? niet (?:op (?:het )?internet|op het web|bij je|bij uw) | (?:heb ik|ik (?:heb|beschik))… (?:geen|niet)… (?:toegang|manier|mogelijkheid|bevoegdheid|toestemming|"
            r"inzage|middelen|inzicht) "
            r"| (?:deze|dit|de) (?:assistent|chatbot|chat|bot) (?:is|kan|mag)… (?:niet|geen) (?:[^ ,]+ )?(?:bedoeld|ontworpen|gemaakt|bevoegd|geschikt|"
            r"gebouwd|beantwoorden|geven|behandelen) "
            r"| (?:is|was|wordt) (?:het )?(?:mij|me|ons) (?:[^ ,]+ )?(?:verboden|niet (?:toegestaan|mogelijk|geoorloofd)) | (?:mij|me|ons) (?:is|wordt)… (?:verboden|"
            r"niet toegestaan) | (?:zie|voel) (?:ik )?me (?:[^ ,]+ )?(?:genoodzaakt|gedwongen|verplicht)… (?:weigeren|afwijzen|af te wijzen) "
            r"| (?:valt|vallen|gaat|ligt) (?:[^ ,]+ )?buiten (?:mijn|ons|onze|het|de)… | (?:past|hoort|valt|behoort) (?:[^ ,]+ )?niet (?:binnen|tot|onder|bij) (?:deze|mijn|onze|ons|"
            r"het) (?:[^ ,]+ )?(?:dienst\S*|taken|taak|bereik|takenpakket|opdracht|rol|assistent|chat|bevoegdhe\S+|domein) "
            r"| (?:ik|wij|we) (?:beantwoord|beantwoorden|behandel|behandelen) (?:alleen|uitsluitend|enkel|slechts) "
            r"| (?:zo'n|zulke|dergelijke|dit soort|dat soort) (?:[^ ,]+ )?(?:schrijf|maak|genereer|geef|beantwoord|lever|ga|zal|wil) (?:ik|wij|we)… niet "
            r"| (?:ik|wij|we) (?:geven|geef|bieden|bied|verstrekken|verstrek) geen (?:[^ ,]+ )?(?:advies|informatie|inlichtingen|antwoord) "
            r"| (?:doe|werk|help|doen|werken) (?:ik|wij|we) (?:hier |daar )?niet (?:aan )?mee | (?:verzoeken|vragen) van deze aard (?:weiger|weigeren|wijzen|wijs) | gaat… in tegen (?:[^ ,]+ ){0,2}(?:richtlijnen|regels|beleid|voorwaarden|principes) "
        ),
        lacks=(
            r" (?:context|document\S*|bron|bronnen)… (?:onvoldoende|te weinig) "
            r"| (?:niets|geen)… (?:in|uit) (?:de|het|deze) (?:[^ ,]+ ){0,2}(?:context|documenten|document|bronnen|tekst) "
        ),
    ),
    "ru": Limits(
        matter=r"(?:помощь|содействие|консультаци\S+|комментарии|(?:так(?:ой|ая|ие|ую|ого|их)|подобн\S+|эт(?:от|а|и|у|ого|ому|их)) (?:[^ ,]+ )?(?:контент\S*|информаци\S+|инструкци\S+|запрос\S*|"
        r"вопрос\S*|текст\S*|материал\S*|сведения|тем\S+))",
        cannot_be=r"(?:не (?:может|могут|будет|будут)|невозможно|нельзя|не представляется возможным|не удастся)",
        done=r"(?:быть )?(?:созда\S+|предостав\S+|оказа\S+|сгенерирова\S+|да(?:н|на|но|ны|ть)|раскры\S+|написа\S+|обсужд\S+|рассмотр\S+|выполн\S+|разглаш\S+|поддержива\S+)",
        own=(
            r" (?:подобные|такие|эти) (?:запросы|вопросы) не (?:поддерживаются|рассматриваются|обсуждаются) | комментарии(?: [^ ,]+){0,4} не (?:предоставляются|даются) |"
            r" (?:мне|нам) (?:велено|поручено|указано|сказано|предписано) не | (?:мы|я) не (?:отвеча|комментиру|обсужда|рассматрива)\S+ (?:[^ ,]+ )?(?:на )?(?:вопрос|тем|запрос|дел)\S* |"
            r" (?:мои|мой|моя) (?:настройки|программирование|обучение|инструкции|алгоритмы) (?:[^ ,]+ )?не (?:допуска|позволя|разреша|предусматрива)\S+ "
            r"| я не (?:могу|умею) (?:искать|выходить|просматривать|открывать|заходить) | у нас(?: [^ ,]+){0,2} нет (?:полномочий|права|разрешения) "
            r"| у меня(?: [^ ,]+){0,2} нет (?:[^ ,]+ ){0,2}(?:доступа|возможности|полномочий|права|прав|разрешения|способа|средств|инструментов) "
            r"| не (?:имею|имеем|располагаю)(?: [^ ,]+){0,2} (?:доступа|возможности|права|полномочий|разрешения|возможностью|доступом) "
            r"| не (?:уполномочен[аы]?|авторизован[аы]?|предназначен[аы]?|рассчитан[аы]?|предусмотрен[аы]?)(?: [^ ,]+){0,2} (?:раскры|обсужд|отвеча|предостав|дава|переда|дел|для ответ)\S+ "
            r"| (?:этот|данный|наш) (?:[^ ,]+ )?(?:помощник|ассистент|чат-бот|чатбот|бот|чат) не (?:предназначен|рассчитан|создан|уполномочен|отвечает|может|обсуждает|консультирует) "
            r"| (?:мне|нам)… (?:запрещ\S+|воспрещ\S+|не (?:разреш|дозвол|позвол)\S+) | (?:вынужден[аы]?|придётся|придется|должен|должна) (?:[^ ,]+ ){0,2}(?:отказ|отклон)\S+ "
            r"| (?:не подлежит|не подлежат) (?:разглаш|раскры|обсужд|обнародов)\S+ | (?:не (?:относятся|относится|входит|входят|попадает|попадают)|не являются частью) (?:в|к) (?:мои|мою|мой|моим|моей|наши|нашу|нашим|число) "
            r"| не (?:относится|входит|попадает)… (?:сфер\S+|компетенци\S+|задач\S*|област\S+|обязанност\S+|сервис\S*|рамки) "
            r"| (?:мы|я) не (?:даём|даем|даю|оказываем|предоставляем|предоставляю|консультируем|обсуждаем|обсуждаю) (?:[^ ,]+ )?(?:консультац\S+|совет\S*|рекомендац\S+|так\S+|эт\S+|услуг\S*) "
            r"| (?:помочь|ответить|подсказать)… (?:не (?:смогу|сможем|могу|можем|получится|выйдет)|невозможно) "
            r"| (?:отвечаю|отвечаем|помогаю|помогаем|консультирую) (?:только|исключительно|лишь) "
        ),
        lacks=(
            r" (?:контекст\S*|документ\S*|источник\S*)… (?:недостаточно|не хватает|не содерж\S+|не упомина\S+) "
            r"| (?:недостаточно|не хватает|нет)… (?:для ответа|чтобы ответить) "
        ),
    ),
    "ar": Limits(
        matter=r"(?:ال)?(?:مساعده|نصائح|نصيحه|استشارات)|(?:هذا|هذه|هذا النوع من|مثل هذا|مثل هذه) (?:ال)?(?:نوع من ال)?(?:محتوي|محتويات|معلومات|تعليمات|طلب|طلبات|اسئله|سؤال|نص|نصوص)",
        cannot_be=r"(?:لا|لن) (?:يمكن|يتم|يجوز)|يتعذر|من غير الممكن|ليس من الممكن|لا يسمح|غير",
        done=r"(?:ب)?(?:ال)?(?:انشاء|تقديم|توفير|كتابه|اعطاء|مشاركه|الكشف|كشف|توليد|مناقشه|الاجابه|افصاح|مدعوم)\S*",
        own=(
            r" (?:طلب|قيل|اوعز) (?:مني|لي|الي) (?:عدم|الا|ان لا) | لا (?:نجيب|اجيب|نرد|ارد|نناقش|اناقش|نعلق|اعلق) (?:عن|علي|ال)?(?: ?[^ ,]+){0,2} ?(?:اسئله|الاسئله|مواضيع|المواضيع|طلبات|استفسارات) | (?:تعليماتي|لدي تعليمات)(?: [^ ,]+)? (?:بعدم|بالا|عدم) |"
            r" (?:برمجتي|تدريبي|اعداداتي|تعليماتي) لا (?:تسمح|يسمح|تتيح|تجيز) | لا (?:استطيع|يمكنني) (?:تصفح|فتح|الوصول|البحث) | لا يمكن التعليق "
            r"| (?:ليس|ليست|لا يوجد|لا توجد|لا تتوفر|لا تتاح) (?:لدي|عندي)(?: [^ ,]+)? (?:امكانيه|صلاحيه|وصول|حق|اذن|القدره|قدره|وسيله|طريقه|صلاحيات|"
            r"الصلاحيه|الوصول|تصريح) "
            r"| لا (?:املك|نملك) (?:حق |امكانيه |صلاحيه )?(?:الوصول|القدره|الصلاحيه|وصولا|وسيله|صلاحيات) | (?:ليس|ليست) (?:بوسعي|بوسعنا|بامكاني|بامكاننا|في وسعي|باستطاعتي|بمقدوري) "
            r"| (?:هذا|هذه) (?:المساعد|الروبوت|البوت|الدردشه|المساعده)(?: [^ ,]+)? (?:(?:غير|ليس|ليست|لم) (?:يتم )?(?:مخصص|مصمم|معد|موجه|مؤهل|مخول|يصمم|تصميم)\S*|لا (?:يقدم|يجيب|يناقش|يتعامل مع|يستطيع)) "
            r"| (?:يحظر|محظور|ممنوع|يمنع|غير مسموح|لا يسمح|لا يجوز|لا يحق)(?: [^ ,]+)? (?:علي|علينا|لي|لنا) | (?:علي|لي|لنا|علينا)(?: [^ ,]+)? (?:محظور|ممنوع) "
            r"| (?:نضطر|اضطر|يجب علينا|علينا) (?:الي )?(?:ال)?(?:رفض|ان نرفض|ان ارفض|اعتذار)\S* | (?:ليس|ليست) (?:من|ضمن) (?:مهامي|اختصاصي|صلاحياتي|عملي|مهامنا|اختصاصنا) "
            r"| (?:مضطر\S*|مجبر\S*|ملزم\S*)(?: ل| الي| علي)?(?: ان)? ?(?:ل|ال)?(?:رفض|الرفض|ارفض|اعتذار) | لا (?:يندرج|تندرج|يدخل|تدخل|يقع|تقع) (?:ضمن|في|داخل) (?:هذه|نطاق|اختصاص\S*|مهام\S*|صلاحيات\S*|مجال\S*|الخدمه) "
            r"| (?:نحن )?لا (?:نقدم|نوفر|نعطي|اقدم|نناقش) (?:[^ ,]+ )?(?:استشارات|نصائح|مشوره|معلومات|هذا|هذه|مثل) | (?:نجيب|اجيب|نرد|ارد) (?:فقط|حصرا)(?: عن| علي) "
            r"| (?:غير|لست|لسنا) (?:قادر\S*|مخول\S*|مؤهل\S*|مصرح) "
        ),
        lacks=(
            r" (?:السياق|المستند\S*|الوثائق|الوثيقه|المصادر|النص\S*|المقال\S*)(?: [^ ,]+){0,2} لا (?:تحتوي|يحتوي|تتضمن|يتضمن|تذكر|يذكر|تكفي|يكفي) "
            r"| لا (?:تحتوي|يحتوي|تتضمن|يتضمن|تذكر|يذكر)(?: [^ ,]+){0,2} (?:السياق|المستندات|الوثائق|المصادر|النص) "
        ),
    ),
    "hi": Limits(
        matter=r"(?:सहायता|मदद|सलाह|परामर्श|राय|टिप्पणी|(?:ऐसी|ऐसे|ऐसा|इस तरह की|इस प्रकार की) (?:[^ ,]+ )?(?:सामग्री|जानकारी|निर्देश|अनुरोध|प्रश्न|सवाल)|(?:यह|इस) (?:जानकारी|अनुरोध))",
        cannot_be=r"नहीं",
        done=r"(?:दी|दिया|दिए|बनाई|बनाया|की|किया|लिखी|लिखा|बताई|बताया|साझा|उपलब्ध कराई|साझा की|प्रदान की|साझा किया|प्रदान किया)(?: नहीं)? (?:जा (?:सकता|सकती|सकते)|जाएगी|जाएगा)|समर्थित",
        own=(
            r" (?:मुझे|हमें)… न (?:करने|देने|बताने|बोलने) (?:को|के लिए) (?:कहा|निर्देश|निर्देशित) | (?:मुझे|हमें)… न (?:करने|देने|बताने) (?:का|के) निर्देश | (?:हम|मैं)… (?:सवालों|प्रश्नों|सवाल|प्रश्न) (?:का|के|पर) (?:जवाब|उत्तर|चर्चा|टिप्पणी) नहीं (?:देते|देता|देती|करते|करता|करती) |"
            r" (?:मेरी|मेरा|मेरे) (?:प्रोग्रामिंग|सेटिंग|सेटिंग्स|प्रशिक्षण)… (?:अनुमति|इजाज़त) नहीं | मैं(?: [^ ,]+)? (?:इंटरनेट|वेब|लिंक|फ़ाइल)… नहीं… (?:सकता|सकती) "
            r"| मेरे पास… (?:पहुँच|पहुंच|एक्सेस|तरीका|तरीक़ा|अधिकार|अनुमति|साधन|क्षमता|सुविधा) नहीं | (?:मेरी|हमारी)… (?:तक|की) (?:पहुँच|पहुंच|एक्सेस) नहीं "
            r"| (?:मुझे|हमें)… (?:मनाही|मना|प्रतिबंधित|वर्जित|निषेध) | (?:मुझे|हमें)… (?:के लिए|हेतु) नहीं (?:बनाया|डिज़ाइन|डिजाइन|तैयार|प्रशिक्षित) "
            r"| मैं(?: [^ ,]+){0,5} (?:भाग|हिस्सा|साथ) नहीं (?:लूँगा|लूंगा|लूँगी|दूँगा|दूंगा|ले सकता|दे सकता) | (?:मेरा|हमारा) (?:काम|कार्य|क्षेत्र|विषय) नहीं | (?:मेरे|हमारे) (?:काम|कार्य|कार्यों|ज़िम्मेदारी) (?:का|में) (?:हिस्सा |शामिल )?नहीं "
            r"| यह (?:सहायक|चैटबॉट|बॉट|चैट|असिस्टेंट)… (?:के लिए )?नहीं (?:है|बना|बनाया|दे|देता|कर) | (?:मुझे|हमें)… (?:अस्वीकार|मना|इनकार|इंकार) कर(?:ना|नी) (?:होगा|पड़ेगा|पड़ रहा) "
            r"| (?:हम|मैं) (?:[^ ,]+ ){0,2}(?:सलाह|परामर्श|राय|सुझाव) नहीं (?:देते|देता|देती) | (?:सेवा|दायरे|क्षेत्र|कार्यक्षेत्र) (?:के|में) (?:अंतर्गत|दायरे में|अंदर)? ?नहीं (?:आता|आती|आते) "
            r"| (?:सेवा|दायरे|क्षेत्र|कार्यक्षेत्र|क्षमता) (?:के|से) (?:बाहर|परे) | (?:मैं|हम) (?:केवल|सिर्फ़|सिर्फ|बस)… (?:जवाब|उत्तर|सहायता|मदद) (?:देता|देती|देते|करता|करते) | असमर्थ (?:हैं|हूँ|हूं) "
        ),
        lacks=r" (?:संदर्भ|दस्तावेज़\S*|दस्तावेज\S*|स्रोत\S*)… (?:जानकारी|उल्लेख|उत्तर|विवरण) नहीं ",
    ),
    "zh": Limits(
        matter=r"(?:(?:此类|这类|该类|这种|这样的|相关|任何|对于该|对该).{0,4}(?:内容|请求|信息|帮助|建议|指导|问题|文本|资料|步骤))",
        cannot_be=r"(?:无法|不能|不予|不可|不得|不便|暂不|恕不)",
        done=r"(?:被)?(?:生成|提供|给出|回答|透露|披露|处理|讨论|创建|撰写|分享|公开|解答|支持|告知)",
        own=(
            r"(?:我|我们)(?:被|已被|收到)(?:要求|指示|告知|设定|指令)(?:不|避免|拒绝)(?:得|能|要|可)?|(?:我|我们)不(?:会)?(?:回答|解答|讨论|评论|处理|受理)(?:有关|关于|涉及)?.{0,12}(?:问题|话题|请求|咨询)|"
            r"(?:我|我们)(?:只好|不得不|唯有|只得|必须|需要)(?:拒绝|谢绝|婉拒)|(?:该|这些|此|这类|相关)信息(?:不能|无法|不便|不可|不得|不予)(?:对外)?(?:透露|公开|披露|分享|提供|告知)|(?:不予|恕不)(?:置评|评论|回应|讨论|回答)|不支持(?:此类|这类|该类|这种|这样的)|我的(?:设定|程序|设置|训练|编程|规则)不(?:允许|支持|容许)|我(?:无法|不能)(?:浏览|访问|上网|打开|联网|搜索)"
            r"|(?:我|我们|本助手|本人|本系统|ai)(?:目前|暂时|现在|并|也|都|是|实在)?(?:没有|没|无)(?:办法|权限|权利|权力|途径|能力|渠道|手段|法)(?:访问|查看|获取|提供|透露|回答|帮|协助|讨论|查询|处理|打开|读取|更改|修改|变更|公开)"
            r"|(?:我|我们|本助手|本机器人|本系统)(?:并|也)?(?:不适用于|不支持|不提供|不处理|不涉及|不负责|不太方便|未获授权|未被授权|没有被授权|不具备)(?:.{0,14}(?:问题|咨询|建议|服务|谈论|讨论|话题|透露|内容|请求|权限|能力|资格|请))?"
            r"|(?:并非|不是)(?:为|用于|用来).{0,14}(?:设计|设计的|开发|打造)|(?:不在|不属于|超出)(?:了)?(?:本|我|我们|该).{0,6}(?:服务|助手|业务|职责|能力)?(?:的)?(?:范围|范畴|权限|职责)"
            r"|恕(?:我|我们)?(?:不能|难|无法|不便)|(?:不能|难以|恕难)从命|(?:我|我们)(?:只|仅)(?:能|可以|会|负责)?(?:回答|处理|解答|提供).{0,16}(?:问题|咨询|帮助)"
            r"|(?:规定|政策|准则|规则|原则|指令|设定)(?:禁止|不允许|不容许)|(?:我|我们)(?:被禁止|不得|不可以|不宜|不应该|不打算|选择不)(?:透露|讨论|提供|回答|分享|撰写|参与|协助|帮|谈)"
        ),
        lacks=r"(?:上下文|文档|资料|材料|知识库).{0,10}(?:没有|不足|不包含|未包含|未涉及|缺少|无).{0,6}(?:信息|内容|答案|记录|作答|说明)?",
    ),
    "ja": Limits(
        matter=r"(?:(?:この|その|あの|こういった|そういった|そうした)(?:よう|種|類)?(?:な|の)?.{0,4}(?:内容|コンテンツ|情報|リクエスト|指示|文章|話題|件)|ご(?:質問|依頼|要望|相談)|リクエストに関する|本件)",
        cannot_be=r"(?:できません|出来ません|できかねます|いたしかねます|致しかねます|しかねます|ません|ておりません|ていません)",
        done=r"(?:(?:の|を|は|に関する|について)?.{0,4}(?:生成|提供|作成|開示|お受け|共有|お伝え|お教え|ご案内|回答|対応|ご提供|執筆|公開|サポート))(?:し|いた|して|は|いたし)?",
        own=(
            r"(?:ない|ぬ)(?:よう|ように)(?:に)?(?:指示|設定|命じ|言わ|求め|プログラム)(?:を受け|さ)?れ?て(?:い|お)(?:ます|り)|"
            r"(?:文章|内容|コンテンツ|文|記事|もの)は(?:作成|執筆|生成|提供|掲載)?(?:いたし|致し|し)ません|(?:お断り|辞退|拒否) ?# ?|権限は(?:私|当方|こちら)に(?:は)?(?:ありません|ございません)|(?:加担|参加|協力|関与)(?:すること)?(?:は|が)?(?:でき|出来|いたし|し)ません|(?:お客様|あなた|ご利用者様|ユーザー).{0,12}アクセス(?:は|が)?(?:でき|出来)(?:ません|かねます)|(?:私|当方|当社)の(?:業務|役割|担当|専門|仕事)(?:範囲)?(?:に|で)(?:は)?(?:含まれ|あり|ござい)(?:て)?(?:い)?(?:ません)"
            r"|私.{0,10}(?:設定|プログラム|仕様).{0,4}(?:許され|許可され|認められ)て(?:い|お)|(?:私|ai).{0,14}(?:閲覧|検索|ブラウズ|再生|開くこと)(?:は|が)?(?:でき|出来)ません"
            r"|(?:私|当方|弊社|当社|ai|本アシスタント|こちら).{0,20}(?:アクセス(?:でき(?:ません|かね)|する(?:こと|権限|手段)|権)|(?:手段|権限|方法|機能|能力)(?:が|は|を)(?:ありません|ございません|持って(?:い|お)|ない))"
            r"|(?:よう(?:に|には)|ために|ためには)(?:設計|作ら|開発|構築|プログラム)(?:され|れ)?て?(?:は)?(?:い|お)?(?:ません|りません|ない)"
            r"|(?:アシスタント|チャットボット|ボット|チャット)は.{0,24}(?:目的とし(?:た|て)|対応し|想定し|意図し|扱って|提供し|対象とし).{0,6}(?:ありません|ません|ございません|いない)"
            r"|(?:対応|サービス|業務|専門|能力|担当)?(?:範囲|対象|領域)(?:を)?(?:超え|越え|外|ではあり)|(?:禁じ|禁止|制限)られて(?:い|お)|禁じられて|(?:差し控え|控え)(?:ます|させ|たい|る|ており)"
            r"|(?:質問|問い合わせ|相談|話題|トピック)(?:に)?(?:のみ|だけ)(?:に)?(?:お)?(?:答え|回答|対応)|(?:文章|内容|もの|こと|コンテンツ)(?:は|を)(?:書き|作り|作成し|生成し|お作りし)ません|(?:助言|アドバイス|相談|サポート)(?:は|を)(?:提供|行|ご提供|お受け)(?:し|って)?(?:て)?(?:おりません|いません|ません)"
        ),
        lacks=r"(?:文脈|コンテキスト|文書|ドキュメント|資料|記事|本文).{0,8}(?:情報|記載|記述|答え|回答|言及)(?:は|が)?(?:含まれ|ない|なく|あり|ござい|見当たり|見つかり|不足)",
    ),
    "ko": Limits(
        matter=r"(?:이런|그런|이러한|그러한|해당|이와같은|이요청|그요청|요청하신).{0,6}(?:콘텐츠|내용|정보|도움|요청|질문|조언|상담|자문|답변|글|방법|지침|안내|주제|요청)?",
        cannot_be=r"(?:할수없|될수없|드릴수없|드리지못|하지못|하지않|해드릴수없|불가|어렵|못합|않습|않겠)",
        done=r"(?:에대해서는|을|를|은|는|이|가)?.{0,6}(?:생성|제공|작성|공개|공유|논의|이야기|언급|응답|답변|지원|도와|거절)",
        own=(
            r"말라는(?:지시|요청|명령|지침)|(?:않도록|말도록)(?:지시|설정|프로그래밍|요청)(?:을)?(?:받|되어)|(?:저는|저희는).{0,14}(?:질문|문의|주제)(?:에|에는|은|는)?(?:답|답변|응답|대답)(?:하|을하)?지않|"
            r"(?:에대해|에관해|관련).{0,4}(?:논평|언급|의견을말|말)(?:할|씀드릴|해드릴)수(?:가|는)?없|(?:제|저희)(?:업무|일|소관|담당|역할)(?:이|가|은|는)?아(?:닙|니)"
            r"|제(?:설정|프로그래밍|훈련|지침)(?:상|은|에서는).{0,8}(?:허용|허락|가능하).{0,2}지않|(?:저는|제가).{0,8}(?:인터넷|웹|링크|파일).{0,4}(?:검색|탐색|접속|열)(?:할)?수(?:가|는)?없"
            r"|(?:저는|저희는|제가|저희가|ai|인공지능|모델).{0,20}(?:접근|확인|조회|열람|볼|실행|파악)(?:할|하는|될)?(?:수(?:가|는)?없|방법이없|권한이없|수단이없|수있는방법이없|권한은없)"
            r"|(?:공개|제공|공유|답변|열람|확인|조회|접근|말씀)(?:할|하는|드릴|을|를)?.{0,4}(?:권한|방법|수단|자격|도리)(?:이|은|도)?(?:없|갖고있지)|(?:도록|위해)(?:설계|개발|제작|훈련|만들어)(?:되지|지지)?않"
            r"|(?:도우미|챗봇|어시스턴트|상담봇)(?:은|는).{0,20}(?:위한것이아|용도가아|목적으로하지|제공하지|다루지|하지않)|(?:업무|서비스|지원|전문|능력|답변)?(?:범위|대상|영역|소관)(?:를|을|이|가)?(?:벗어|넘|아니|아닙|밖|에포함되지|외)"
            r"|(?:거절|거부|사양)(?:할수밖에|해야|하겠|합니다|드려)|(?:금지|제한)되어있|(?:허용|허락|승인|허가)되(?:지|어있지)않|(?:정책|지침|규정|원칙)에?(?:위배|위반|어긋|반)"
            r"|(?:질문|문의)에만|(?:자문|상담|조언|의견)(?:은|을|를)?(?:제공|드리|하)(?:하)?지않|(?:그런|이런|그러한|이러한)(?:글|내용|콘텐츠|것)(?:은|을)?.{0,4}(?:쓰|작성하|만들|생성하|다루)지(?:않|못)"
            r"|도와드리기(?:어렵|힘들|곤란)|(?:이야기|언급|논의|말씀)하지않겠"
        ),
        lacks=r"(?:문맥|문서|자료|컨텍스트).{0,8}(?:정보|내용|언급|답)(?:이|가|은|는)?(?:없|부족|충분하지|포함되)",
    ),
}
